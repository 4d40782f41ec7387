"""Speech Commands v2 with 12 classes: ten words, silence and unknown words; one second each, at 16 kHz.

Split as its publisher does, by a hash of the speaker (Warden 2018). Unknown are recordings of the other 25 words, and
silence are stretches of the recorded background noises, a tenth as many of each as there are of the ten words together.
Of each noise the first 80 % go into train, the next 10 % into valid, the last 10 % into test.
"""

import functools
import hashlib
from pathlib import Path

import numpy as np

from tasks.base import Arrays, Data
from tasks.data import wav
from tasks.data.store.cache import Splits, decoded
from tasks.data.store.dataset import DataError, Dataset, Download, data_dir
from tasks.data.store.fetch import fetch

RATE = 16000  # samples per second
SAMPLES = 16000
SILENCE, UNKNOWN = 0, 1
WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")  # classes 2 to 11
OTHERS = (
    *("backward", "bed", "bird", "cat", "dog", "eight", "five", "follow", "forward", "four", "happy", "house", "learn"),
    *("marvin", "nine", "one", "seven", "sheila", "six", "three", "tree", "two", "visual", "wow", "zero"),
)
NOISE = "_background_noise_"
RECORDINGS = 105829  # of all words, by the publisher's README
DATASET = Dataset(
    name="speech_commands",
    folder="speech_commands",
    downloads=(
        Download(
            "https://storage.googleapis.com/download.tensorflow.org/data/speech_commands_v0.02.tar.gz",
            2428923189,  # this and SHA-256: from TensorFlow Datasets' url_checksums/speech_commands.txt
            "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
        ),
    ),
    files=(*sorted(WORDS + OTHERS), NOISE),
    licence="CC BY 4.0",
    citation="Warden 2018, arXiv 1804.03209",
)
VERSION = 2  # of the rules below
PARTS = ("train", "valid", "test")
SHARES = (0.0, 0.8, 0.9, 1.0)  # of each background noise
SEED = 1804


def load() -> Data:
    """Returns audio [N, 16000] int16, zeros at the end of a shorter one, y [N] int32 and speaker [N] int32.

    Class 0 is silence, 1 is unknown, then come `WORDS`. Raises DataError where recordings are missing or damaged.
    """
    return _load(data_dir())


@functools.cache
def _load(root: Path) -> Data:
    folder = fetch(DATASET, root)
    files = listing(folder)
    # 3 GB: told by names, sizes and times, since reading all of it takes longer than reading what was made of it.
    stats = [(str(file.relative_to(folder)), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return decoded("speech_commands", root, f"{VERSION} {stats}", lambda: decode(folder, files))


def listing(folder: Path) -> list[Path]:
    """Returns the files of all recordings of words, sorted. Raises DataError unless there are RECORDINGS."""
    files = sorted(file for word in (*WORDS, *OTHERS) for file in (folder / word).glob("*.wav"))
    if len(files) != RECORDINGS:
        raise DataError(
            f"{folder}: {len(files)} recordings in the folders of the 35 words, must be {RECORDINGS}; "
            "delete the folder to fetch it again"
        )
    return files


def speaker(file: Path) -> str:
    """Returns the part of a recording's name that stands for its speaker."""
    return file.name.partition("_nohash_")[0]


def which_set(file: Path) -> str:
    """Returns "train", "valid" or "test", 80 : 10 : 10, by the part of the name that stands for the speaker.

    It is the publisher's split.
    """
    hashed = int(hashlib.sha1(speaker(file).encode()).hexdigest(), 16)
    percent = hashed % 2**27 * (100 / (2**27 - 1))
    return "valid" if percent < 10 else "test" if percent < 20 else "train"


def decode(folder: Path, files: list[Path]) -> Splits:
    """Returns train, valid and test of the recordings; one seed, PCG64. Raises DataError where one is no such wav."""
    noises = [wav.read(file, RATE) for file in sorted((folder / NOISE).glob("*.wav"))]
    if not noises:
        raise DataError(f"{folder / NOISE}: holds no wav file; put the publisher's there")
    train, valid, test = (_part(i, [f for f in files if which_set(f) == part], noises) for i, part in enumerate(PARTS))
    return train, valid, test


def _part(index, files, noises) -> Arrays:
    rng = np.random.Generator(np.random.PCG64([SEED, index]))
    words = [file for file in files if file.parent.name in WORDS]
    others = [file for file in files if file.parent.name in OTHERS]
    few = -(-len(words) // 10)
    others = [others[i] for i in sorted(rng.permutation(len(others))[:few])]
    spoken = [wav.fit(wav.read(file, RATE), SAMPLES) for file in others + words]
    spans = [noise[int(SHARES[index] * len(noise)) : int(SHARES[index + 1] * len(noise))] for noise in noises]
    silence = [_stretch(rng, spans[i % len(spans)]) for i in range(few)]
    speakers = [f"silence {i}" for i in range(few)] + [speaker(file) for file in others + words]
    labels = [SILENCE] * few + [UNKNOWN] * len(others) + [2 + WORDS.index(file.parent.name) for file in words]
    order = rng.permutation(len(labels))  # classes mixed, so that a slice holds all of them
    arrays = {"audio": np.stack(silence + spoken), "y": np.array(labels, np.int32), "speaker": _numbers(speakers)}
    return {name: leaf[order] for name, leaf in arrays.items()}


def _numbers(names) -> np.ndarray:
    """A number for each of the names, equal for equal ones."""
    return np.unique(names, return_inverse=True)[1].astype(np.int32)


def _stretch(rng, noise):
    """A second from anywhere in `noise`, its volume uniform in 0..1."""
    start = rng.integers(0, len(noise) - SAMPLES, endpoint=True)
    return np.rint(noise[start : start + SAMPLES] * rng.random()).astype(np.int16)
