"""Recordings in wav files: 16-bit PCM, one channel."""

import wave
from pathlib import Path

import numpy as np

from tasks.data.store.dataset import DataError


def read(path: Path, rate: int) -> np.ndarray:
    """Returns the samples [S] int16 of a recording.

    Raises DataError unless the file is whole and holds one channel of 16 bits at `rate` samples per second.
    """
    try:
        with wave.open(str(path)) as file:
            form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            count, raw = file.getnframes(), file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise DataError(f"{path}: is not a wav file ({error}); put the publisher's there") from None
    if form != (1, 2, rate):
        raise DataError(f"{path}: {form[0]} channels of {form[1]} bytes at {form[2]} Hz, must be 1, 2 and {rate}")
    if len(raw) != 2 * count:
        raise DataError(f"{path}: {len(raw) // 2} samples, must be {count}: cut short; put the publisher's there")
    return np.frombuffer(raw, "<i2").astype(np.int16)


def fit(sound: np.ndarray, samples: int) -> np.ndarray:
    """Returns a recording [S] int16 as [samples] int16: zeros added at the end, or else cut to its loudest stretch.

    The loudest stretch is that of most energy, the sum of squares.
    """
    if len(sound) > samples:
        energy = np.concatenate([[0], np.cumsum(sound.astype(np.int64) ** 2)])
        start = int(np.argmax(energy[samples:] - energy[:-samples]))
        return sound[start : start + samples]
    return np.pad(sound, (0, samples - len(sound)))
