"""How the datasets are made: against hand-worked cases, NumPy and SciPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.fft
import scipy.signal
from numpy.testing import assert_allclose, assert_array_equal

from tasks.data import audio, pydoc
from tasks.data.ngram import bits_per_character
from tasks.data.synthetic import voice
from tasks.language_model import windows as batch_of_windows
from tasks.speech.augment import _mask
from tasks.speech.speech_commands import KEYWORDS
from tasks.vision.digits import batch as digits_batch


def test_repeated_paragraphs_are_kept_once():
    texts = {"parent": "one\n\ntwo  words\n\none", "child": "two\nwords", "other": "three\n\none"}
    assert pydoc.distinct(texts) == {"parent": "one\n\ntwo  words", "other": "three"}


def test_characters_become_tokens():
    assert_array_equal(pydoc.encode(" A~\n\té"), [0, 33, 94, 95, 96, 96])


def test_topics_are_split_by_their_name():
    names = ("typesmethods", "typesmapping", "numbers", "execmodel", "with", "lambda")  # crc32 mod 10: 1 6 3 4 6 8
    assert [pydoc.split_of(name) for name in names] == ["test", "test", "valid", "valid", "test", "train"]


def test_targets_of_windows_meet_end_to_end():
    batch = batch_of_windows(64)(pydoc.windows(np.arange(64 * 3 + 1), 65), np.arange(3), None)
    assert_array_equal(batch["x"].ravel(), np.arange(192))
    assert_array_equal(batch["y"].ravel(), np.arange(192) + 1)


def test_random_windows_start_at_every_place_of_their_row():
    train = pydoc.windows(np.arange(64 * 20), 129)
    picked = np.full(2000, 3)
    batch = jax.jit(batch_of_windows(64))(train, picked, jax.random.key(0))
    assert set(np.asarray(batch["x"][:, 0])) == set(range(192, 256))
    assert_array_equal(batch["y"], batch["x"] + 1)
    assert_array_equal(batch["x"], batch["x"][:, :1] + np.arange(64))


def test_trigram_model_by_hand():
    # Two tokens; train 0 0 1. Unigrams: c = (2, 1), 2 kinds, so p(0) = (2 + 2 · 1/2) / 5 = 3/5 and p(1) = 2/5.
    # After 0: c = (1, 1), 2 kinds, so p(1 | 0) = (1 + 2 · 2/5) / 4 = 9/20. After 0 0: p(1 | 0 0) = (1 + 9/20) / 2.
    train, test = np.array([0, 0, 1]), np.array([0, 0, 1])
    expected = -np.mean(np.log2([3 / 5, (1 + 2 * 3 / 5) / 4, 29 / 40]))
    assert_allclose(bits_per_character(train, test, order=3, vocabulary=2), expected, rtol=1e-12)


def test_unseen_context_passes_on_the_shorter_one():
    # Nothing ever followed 1 in train: p(0 | 1) = p(0) = 3/5.
    bits = bits_per_character(np.array([0, 0, 1]), np.array([1, 0]), order=2, vocabulary=2)
    assert_allclose(bits, -np.mean(np.log2([2 / 5, 3 / 5])), rtol=1e-12)


def test_log_mel_against_scipy():
    rng = np.random.default_rng(0)
    sound = rng.uniform(-1, 1, (2, 700)) * np.array([[0.5], [0.001]])
    size, hop, bands, rate = 128, 80, 10, 8000
    window = scipy.signal.get_window("hann", size)
    edges = 700 * np.expm1(
        np.linspace(*(np.log1p(np.array([100, 4000]) / 700)), bands + 2)
    )  # mel is any log(1 + f/700)
    expected = np.empty((2, 8, bands))
    for b in range(2):
        for f in range(8):
            power = np.abs(scipy.fft.fft(sound[b, f * hop : f * hop + size] * window)[: size // 2 + 1]) ** 2
            for m in range(bands):
                triangle = np.interp(np.arange(size // 2 + 1) * rate / size, edges[m : m + 3], [0, 1, 0])
                expected[b, f, m] = np.log(triangle @ power / (window @ window) + 1e-6)
    options = {"length": size, "hop": hop, "bands": bands, "rate": rate, "low": 100, "high": 4000}
    out = jax.jit(lambda x: audio.log_mel(x, **options))(sound.astype(np.float32))
    assert out.shape == (2, 8, 10)
    assert_allclose(out, expected, atol=1e-4)


def test_mfcc_against_scipy():
    times = np.arange(16000) / 16000
    rng = np.random.default_rng(0)
    sound = np.stack([rng.uniform(-0.5, 0.5, 16000), scipy.signal.chirp(times, 50, 1, 3500) * np.hanning(16000)])
    edges = 700 * np.expm1(np.linspace(*(np.log1p(np.array([20, 4000]) / 700)), 42))
    triangles = np.stack([np.interp(np.arange(241) * 16000 / 480, edges[m : m + 3], [0, 1, 0]) for m in range(40)])
    window = scipy.signal.get_window("hann", 480)
    expected = np.empty((2, 49, 10))
    for f in range(49):
        power = np.abs(scipy.fft.rfft(sound[:, 320 * f : 320 * f + 480] * window)) ** 2 / (window @ window)
        expected[:, f] = scipy.fft.dct(np.log(power @ triangles.T + 1e-6), norm="ortho")[:, :10]
    out = jax.jit(lambda x: audio.mfcc(x, **KEYWORDS))(sound.astype(np.float32))
    assert out.dtype == jnp.float32
    assert_allclose(out, expected, atol=1e-4)


def test_dct_is_orthonormal():
    whole = audio.dct(40, 40)
    assert_allclose(whole.T @ whole, np.eye(40), atol=1e-6)
    assert_array_equal(audio.dct(40, 10), whole[:, :10])


def test_mel_scale():
    assert_allclose(audio.mel(1000.0), 1000, atol=0.02)  # 1000 mel are 1000 Hz by definition
    assert_allclose(audio.hertz(audio.mel(3210.0)), 3210, rtol=1e-12)


def test_resonator_has_its_poles_where_it_says():
    a, b, c = voice._resonator(np.array([500.0]), np.array([60.0]))
    pole = np.roots([1, -b[0], -c[0]])[0]
    assert_allclose(abs(np.angle(pole)), 2 * np.pi * 500 / 8000, rtol=1e-9)
    assert_allclose(abs(pole), np.exp(-np.pi * 60 / 8000), rtol=1e-9)
    assert_allclose(a / (1 - b - c), 1, rtol=1e-9)  # gain at 0 Hz


def test_synthesizer_against_scipy_filters():
    one, frames = np.ones(1), voice.SAMPLES // voice.FRAME
    steady = voice.Voice(100 * one, 0 * one, one, None, one, 0.5 * one, 0 * one, one)
    formants = np.array([500.0, 1500.0, 2500.0, 3500.0, 2000.0])[:, None, None] * np.ones((5, frames, 1))
    filters = voice._resonator(formants, np.array(voice.BANDWIDTHS)[:, None, None])
    on, off = np.ones((frames, 1)), np.zeros((frames, 1))
    out = voice._run(np.random.default_rng(0), filters, on, off, steady)[:, 0]

    start = np.random.default_rng(0).random(1)
    u = (start + np.arange(1, voice.SAMPLES + 1) / 80) % 1 / 0.5
    sound = np.where(u < 1, 2 * u - 3 * u**2, 0)
    for a, b, c in zip(*(part[:4, 0, 0] for part in filters), strict=True):
        sound = scipy.signal.lfilter([a], [1, -b, -c], sound)
    assert_allclose(out[3:], sound[:-3], atol=1e-9)


def test_every_word_has_power_1_and_is_quiet_around():
    both = np.ones(2)
    accent = np.ones((2, len(voice.PHONEMES), 3))
    quick = voice.Voice(100 * both, 0 * both, both, accent, 0.75 * both, 0.6 * both, 0 * both, np.array([0.0, 1.0]))
    sound = voice.speak(np.random.default_rng(0), [("N", "AY", "N")] * 2, quick)  # 195 ms at this tempo
    assert_allclose((sound**2).mean(0), 1, rtol=1e-9)
    assert np.abs(sound[4000:, 0]).max() < 1e-3  # spoken at the very start
    assert np.abs(sound[:4000, 1]).max() < 1e-3  # and at the very end


def test_mask_covers_no_more_than_its_length():
    lengths, starts = np.meshgrid(np.arange(50) / 50, np.arange(50) / 50)  # draws in [0, 1)
    masks = np.asarray(_mask(jnp.arange(10), lengths.ravel(), starts.ravel(), 4))
    assert set(masks.sum(1)) == {0, 1, 2, 3, 4}
    assert (np.abs(np.diff(masks.astype(int), axis=1)).sum(1) <= 2).all()  # one stretch
    assert masks.any(0).all()


@pytest.mark.parametrize("key", [0, 1])
def test_digits_are_shifted_by_at_most_a_pixel(key):
    image = np.zeros((1, 8, 8, 1), np.float32)
    image[0, 3, 4] = 1
    arrays = {"x": image, "y": np.zeros(1, np.int32)}
    x = jax.jit(digits_batch)(arrays, np.zeros(300, int), jax.random.key(key))["x"]
    _, down, right, _ = np.nonzero(x)
    assert set(zip(down.tolist(), right.tolist(), strict=True)) == {(i, j) for i in (2, 3, 4) for j in (3, 4, 5)}
    assert_allclose(jnp.sum(x, (1, 2, 3)), 1)
