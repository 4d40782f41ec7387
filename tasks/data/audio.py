"""Log-mel features and cepstra (MFCC) of sound, on the device and for whole batches."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

FLOOR = 1e-6  # added to energies before the logarithm: full scale is 1, so 60 dB below it


def frames(signal: jax.Array, length: int, hop: int) -> jax.Array:
    """Returns the frames [B, F, length] of signals [B, S], where F = 1 + (S - length) // hop. Nothing is padded.

    Args:
        signal: [B, S], at least `length` samples.
        length: samples of a frame.
        hop: samples from the start of a frame to the start of the next.
    """
    count = 1 + (signal.shape[-1] - length) // hop
    return signal[..., np.arange(count)[:, None] * hop + np.arange(length)]


def mel(hertz: ArrayLike) -> np.ndarray:
    """Returns frequencies in mel, 2595 · log10(1 + f / 700) (O'Shaughnessy 1987)."""
    return 2595.0 * np.log10(1.0 + np.asarray(hertz) / 700.0)


def hertz(mels: ArrayLike) -> np.ndarray:
    """Returns frequencies in hertz, the inverse of `mel`."""
    return 700.0 * (10.0 ** (np.asarray(mels) / 2595.0) - 1.0)


def mel_filterbank(bands: int, size: int, rate: float, low: float, high: float) -> np.ndarray:
    """Returns the weights, [size // 2 + 1, bands] float32, of triangles of height 1 that are equally wide in mel.

    Args:
        bands: number of triangles.
        size: samples of the Fourier transform.
        rate: samples per second.
        low: hertz where the first triangle begins.
        high: hertz where the last one ends.
    """
    edges = hertz(np.linspace(mel(low), mel(high), bands + 2))
    bins = np.arange(size // 2 + 1)[:, None] * rate / size
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (bins - left) / (centre - left), (right - bins) / (right - centre)
    return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)


def log_mel(signal: jax.Array, *, length: int, hop: int, bands: int, rate: float, low: float, high: float) -> jax.Array:
    """Returns log(mel energies + FLOOR), [B, F, bands] float32, with F frames as in `frames`.

    Energies are squared magnitudes of the Hann-windowed frames' Fourier transform, divided by the window's energy.

    Args:
        signal: [B, S] float in [-1, 1].
        length: samples of a frame.
        hop: samples from the start of a frame to the start of the next.
        bands: number of mel bands.
        rate: samples per second.
        low: hertz where the first band begins.
        high: hertz where the last band ends.
    """
    window = np.hanning(length + 1)[:-1].astype(np.float32)
    spectrum = jnp.fft.rfft(frames(signal, length, hop) * window)
    power = (jnp.square(spectrum.real) + jnp.square(spectrum.imag)) / np.sum(window**2)
    return jnp.log(_exact(power, mel_filterbank(bands, length, rate, low, high)) + FLOOR)


def standardized(x: jax.Array, real: jax.Array) -> jax.Array:
    """Returns features [B, F, M] with mean 0 and variance 1 over each utterance's real frames, and 0 in the others.

    `real` [B, F] bool is True where a frame of `x` [B, F, M] is no padding.
    """
    real = real[..., None]
    count = jnp.sum(real, (1, 2), keepdims=True) * x.shape[-1]
    x = jnp.where(real, x - jnp.sum(x * real, (1, 2), keepdims=True) / count, 0.0)
    return x / jnp.sqrt(jnp.sum(jnp.square(x), (1, 2), keepdims=True) / count + FLOOR)


def by_parts(features: Callable[..., jax.Array], *arrays: jax.Array, size: int = 200) -> jax.Array:
    """Returns `features(*rows)` for each row of [N, ...] arrays, stacked: [N, ...].

    It computes `size` rows at a time, so that the spectra of all need not be held at once.
    """
    return jax.lax.map(lambda rows: features(*rows), arrays, batch_size=size)


def utterances(audio: jax.Array, samples: jax.Array, *, hop: int, **options: Any) -> jax.Array:
    """Returns `standardized` `log_mel` features, [N, F, bands] float32, 0 in the frames behind an utterance's end.

    Args:
        audio: [N, S] int16.
        samples: [N] int, length of each utterance.
        hop: samples from the start of a frame to the start of the next.
        **options: the other options of `log_mel`.
    """

    def features(audio, samples):
        x = log_mel(audio[None] / 32768.0, hop=hop, **options)
        return standardized(x, jnp.arange(x.shape[1])[None] * hop < samples)[0]

    return by_parts(features, audio, samples)


def mfcc(signal: jax.Array, *, coefficients: int, bands: int, **options: Any) -> jax.Array:
    """Returns the first mel-frequency cepstral coefficients, [B, F, coefficients] float32.

    They are the orthonormal DCT-II of `log_mel` over its bands (Davis & Mermelstein 1980).

    Args:
        signal: [B, S] float in [-1, 1].
        coefficients: how many are kept, at most `bands`.
        bands: number of mel bands.
        **options: the other options of `log_mel`.
    """
    return _exact(log_mel(signal, bands=bands, **options), dct(bands, coefficients))


def dct(size: int, count: int) -> np.ndarray:
    """Returns the first `count` columns of the orthonormal DCT-II of `size` values: [size, count] float32."""
    basis = np.cos(np.pi * (np.arange(size)[:, None] + 0.5) * np.arange(count) / size)
    basis[:, 0] /= np.sqrt(2)
    return (basis * np.sqrt(2 / size)).astype(np.float32)


def _exact(a, b):
    # Accelerators would round float32 factors to fewer bits.
    return jnp.matmul(a, b, precision=jax.lax.Precision.HIGHEST)
