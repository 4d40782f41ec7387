"""A small source-filter speech synthesizer (Fant 1960; cascade synthesizer of Klatt 1980, JASA 67(3), 971-995).

Glottal pulses run through four vocal-tract resonators in cascade, whose frequencies glide from phoneme to phoneme;
noise through one more resonator makes fricatives and bursts. Vectorized over utterances, a loop over samples.

float64 throughout, so that the 16-bit samples made of it are the same on every machine.
"""

from typing import NamedTuple

import numpy as np

RATE = 8000  # samples per second
SAMPLES = 6400  # 0.8 s
FRAME = 80  # samples during which the vocal tract stands still: 10 ms
F4 = 3500.0  # Hz
BANDWIDTHS = (70.0, 100.0, 150.0, 250.0, 800.0)  # of F1-F4 and of the noise, Hz
HIGHEST = 3800.0  # Hz: resonators stay below half the sampling rate

# F1-F3 and centre of the noise in Hz, amplitude of voicing, amplitude of noise, duration in ms.
# Vowels IY to UW: Peterson & Barney 1952, table II (men). Others: after Klatt 1980, tables II and III.
# Lower case: the silence before a burst. A prime: the second half of a diphthong.
PHONEMES = {
    "IY": (270, 2290, 3010, 2000, 1.0, 0.0, 140),
    "IH": (390, 1990, 2550, 2000, 1.0, 0.0, 90),
    "EH": (530, 1840, 2480, 2000, 1.0, 0.0, 100),
    "AH": (640, 1190, 2390, 2000, 1.0, 0.0, 100),
    "AO": (570, 840, 2410, 2000, 1.0, 0.0, 130),
    "UW": (300, 870, 2240, 2000, 1.0, 0.0, 150),
    "EY": (480, 1720, 2520, 2000, 1.0, 0.0, 90),
    "EY'": (330, 2020, 2600, 2000, 1.0, 0.0, 70),
    "AY": (660, 1200, 2550, 2000, 1.0, 0.0, 100),
    "AY'": (400, 1880, 2500, 2000, 1.0, 0.0, 80),
    "OW": (540, 1100, 2300, 2000, 1.0, 0.0, 90),
    "OW'": (450, 900, 2300, 2000, 1.0, 0.0, 80),
    "W": (290, 610, 2150, 2000, 0.5, 0.0, 70),
    "R": (310, 1060, 1380, 2000, 0.6, 0.0, 70),
    "N": (480, 1340, 2470, 2000, 0.4, 0.0, 80),
    "V": (220, 1100, 2080, 2000, 0.3, 0.05, 60),
    "Z": (240, 1390, 2530, 3600, 0.3, 0.2, 80),
    "F": (340, 1100, 2080, 2500, 0.0, 0.12, 100),
    "TH": (320, 1290, 2540, 3000, 0.0, 0.08, 90),
    "S": (320, 1390, 2530, 3700, 0.0, 0.5, 110),
    "t": (400, 1600, 2600, 3400, 0.0, 0.0, 40),
    "T": (400, 1600, 2600, 3400, 0.0, 0.5, 25),
    "k": (300, 1990, 2850, 2000, 0.0, 0.0, 40),
    "K": (300, 1990, 2850, 2000, 0.0, 0.4, 25),
}


class Voice(NamedTuple):
    """How N utterances are spoken; arrays [N] unless noted."""

    pitch: np.ndarray  # Hz at the start
    fall: np.ndarray  # share of the pitch lost per second
    tract: np.ndarray  # factor on all formants: 1 for the man of the table, more for a shorter vocal tract
    accent: np.ndarray  # [N, phonemes, 3] factors on F1-F3
    tempo: np.ndarray  # factor on durations
    open_quotient: np.ndarray  # share of a glottal cycle in which air flows
    breath: np.ndarray  # amplitude of noise at the glottis
    onset: np.ndarray  # where the word lies: 0 at the start of the recording, 1 at its end


def speak(rng: np.random.Generator, words: list[tuple[str, ...]], voice: Voice) -> np.ndarray:
    """Returns sound [SAMPLES, N] float64 of mean power 1, one word per utterance.

    Args:
        rng: draws the noise and the phase of each voice.
        words: N words, each the names of its phonemes in `PHONEMES`.
        voice: how each of the N is spoken.
    """
    tracks = np.stack([_articulate(word, n, voice) for n, word in enumerate(words)], axis=-1)
    formants = np.insert(tracks[:4], 3, F4 * voice.tract, axis=0)
    filters = _resonator(np.minimum(formants, HIGHEST), np.array(BANDWIDTHS)[:, None, None])
    sound = _run(rng, filters, tracks[4], tracks[5], voice)
    return sound / np.sqrt(np.mean(sound**2, axis=0))


def _articulate(word, n, voice):
    """Tracks [6, frames] of F1-F3, centre of the noise and the amplitudes of voicing and noise, of utterance n."""
    targets = np.array([PHONEMES[p] for p in word], np.float64)
    names = list(PHONEMES)
    targets[:, :3] *= voice.tract[n] * voice.accent[n, [names.index(p) for p in word]]
    ends = np.cumsum(targets[:, 6]) * voice.tempo[n] / 1000
    widths = np.diff(ends, prepend=0.0)
    starts = ends - widths + voice.onset[n] * (SAMPLES / RATE - ends[-1])
    # Each phoneme holds its target over the middle of its time; the tract glides in between.
    knots = np.stack([starts + 0.25 * widths, starts + 0.75 * widths], 1).ravel()
    knots = np.array([knots[0] - 0.03, *knots, knots[-1] + 0.04])
    values = np.repeat(targets[:, :6], 2, axis=0)
    silent = np.array([1, 1, 1, 1, 0, 0])
    values = np.vstack([values[0] * silent, values, values[-1] * silent])
    times = (np.arange(SAMPLES // FRAME) + 0.5) * FRAME / RATE
    return np.stack([np.interp(times, knots, column) for column in values.T])


def _resonator(frequency, bandwidth):
    """(a, b, c) of y[t] = a·x[t] + b·y[t-1] + c·y[t-2]; both arguments in Hz (Klatt 1980, eqs. 1-2)."""
    c = -np.exp(-2 * np.pi * bandwidth / RATE)
    b = 2 * np.exp(-np.pi * bandwidth / RATE) * np.cos(2 * np.pi * frequency / RATE)
    return 1 - b - c, b, np.broadcast_to(c, b.shape)


def _run(rng, filters, voicing, frication, voice):
    """Sound [SAMPLES, N]: the glottal source through the first four filters, plus noise through the last.

    All filters step at once: each of the cascade hears its predecessor one sample late, which only delays the sound.
    """
    sound = np.empty((SAMPLES, len(voice.pitch)))
    heard, y, older = np.zeros((3, len(filters[0]), len(voice.pitch)))
    phase = rng.random(len(voice.pitch))
    for frame in range(SAMPLES // FRAME):
        noise = rng.uniform(-1, 1, (FRAME, len(phase)))
        step = voice.pitch * (1 - voice.fall * frame * FRAME / RATE) / RATE
        cycles = phase + step * np.arange(1, FRAME + 1)[:, None]
        phase = cycles[-1]
        source = voicing[frame] * (_glottis(cycles % 1 / voice.open_quotient) + voice.breath * noise)
        a, b, c = (np.ascontiguousarray(part[:, frame]) for part in filters)
        for i in range(FRAME):
            heard[0], heard[1:-1], heard[-1] = source[i], y[:-2], frication[frame] * noise[i]
            older *= c
            older += a * heard
            older += b * y
            y, older = older, y
            np.add(y[-2], y[-1], out=sound[frame * FRAME + i])
    return sound


def _glottis(u):
    """Derivative of the glottal flow u² - u³ over the open phase 0 ≤ u < 1, then 0 (Klatt & Klatt 1990)."""
    return np.where(u < 1, u * (2 - 3 * u), 0.0)
