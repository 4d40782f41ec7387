"""Ten spoken digits, synthesized: no recording of any voice. Deterministic: one seed, PCG64.

Pitch, vocal-tract length, accent, tempo and background noise vary. Speakers are split, so the voices of valid and
test were never heard in train.
"""

import functools

import numpy as np

from tasks.base import Arrays, Data, pooled
from tasks.data.synthetic.voice import PHONEMES, SAMPLES, Voice, speak

WORDS = (
    ("Z", "IH", "R", "OW", "OW'"),
    ("W", "AH", "N"),
    ("t", "T", "UW"),
    ("TH", "R", "IY"),
    ("F", "AO", "R"),
    ("F", "AY", "AY'", "V"),
    ("S", "IH", "k", "K", "S"),
    ("S", "EH", "V", "AH", "N"),
    ("EY", "EY'", "t", "T"),
    ("N", "AY", "AY'", "N"),
)
SPEAKERS = {"train": 70, "valid": 10, "test": 20}
TAKES = 4  # utterances of each digit by each speaker
NOISE = (-4.0, 12.0)  # signal-to-noise ratio, dB, uniform
SEED = 1711


@functools.cache
def load() -> Data:
    """Returns audio [N, 6400] int16, 0.8 s at 8 kHz; y [N] int32, the digit; speaker [N] int32, unique in its split.

    Each speaker says each digit TAKES times.
    """
    train, valid, test = (_split(i, count) for i, count in enumerate(SPEAKERS.values()))
    return pooled(train, valid, test)


def _split(index: int, speakers: int) -> Arrays:
    rng = np.random.Generator(np.random.PCG64([SEED, index]))
    speaker, y, _ = np.indices((speakers, len(WORDS), TAKES)).reshape(3, -1)
    sound = speak(rng, [WORDS[digit] for digit in y], _voice(rng, speaker, speakers))
    sound += _background(rng, len(y))
    level = rng.uniform(0.03, 0.1, len(y)) / np.sqrt(np.mean(sound**2, axis=0))
    audio = np.clip(np.rint(sound * level * 32768), -32768, 32767).astype(np.int16)
    return {"audio": np.ascontiguousarray(audio.T), "y": y.astype(np.int32), "speaker": speaker.astype(np.int32)}


def _voice(rng, speaker, speakers) -> Voice:
    """What a speaker is, times what an utterance adds."""

    def draw(own, each, *shape):
        return rng.uniform(*own, (speakers, *shape))[speaker] * rng.uniform(*each, (len(speaker), *shape))

    tract = draw((0.85, 1.2), (0.98, 1.02))
    return Voice(
        pitch=tract**2 * draw((95, 170), (0.9, 1.1)),  # a shorter tract goes with a higher pitch
        fall=draw((0.0, 0.5), (0.5, 1.0)),
        tract=tract,
        accent=draw((0.92, 1.08), (0.95, 1.05), len(PHONEMES), 3),
        tempo=draw((0.75, 1.3), (0.9, 1.1)),
        open_quotient=draw((0.5, 0.8), (0.95, 1.05)),
        breath=draw((0.0, 0.1), (0.5, 1.0)),
        onset=draw((1.0, 1.0), (0.0, 1.0)),
    )


def _background(rng, count):
    """Noise [SAMPLES, count] of random colour and of the power that its signal-to-noise ratio says, signal 1."""
    memory = rng.uniform(0.0, 0.9, count)
    power = 10 ** (-rng.uniform(*NOISE, count) / 10)
    noise = rng.uniform(-1, 1, (SAMPLES, count)) * np.sqrt(3 * power * (1 - memory**2))  # 3: uniform's power is 1/3
    for t in range(1, SAMPLES):
        noise[t] += memory * noise[t - 1]
    return noise
