"""FSDD, the Free Spoken Digit Dataset: 3,000 recordings, 10 digits × 6 speakers × 50, at 8 kHz.

On the official split recordings 0-4 of each digit and speaker are test; of the others, 5-9 are valid.
Without a speaker, all recordings of that speaker are test; of the others' recordings 0-4 are valid, so valid holds
voices that were trained on. Connected digits: see `load_connected`.
"""

import functools
from pathlib import Path

import numpy as np

from tasks.base import Arrays, Data
from tasks.data import wav
from tasks.data.store.cache import Splits, decoded
from tasks.data.store.dataset import DataError, Dataset, Download, data_dir
from tasks.data.store.fetch import fetch
from tasks.data.store.files import content

RATE = 8000  # samples per second
SAMPLES = 8000  # 1 s: 24 recordings are longer and lose their quiet ends
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
DIGITS, TAKES = 10, 50
FILES = tuple(
    f"recordings/{digit}_{speaker}_{take}.wav"
    for digit in range(DIGITS)
    for speaker in SPEAKERS
    for take in range(TAKES)
)
DATASET = Dataset(
    name="fsdd",
    folder="fsdd",
    downloads=(
        # GitHub packs the archive of a tag anew as it likes, so the recordings are verified instead.
        Download(
            "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.zip", 16419872, None
        ),
    ),
    files=FILES,
    licence="CC BY-SA 4.0",
    citation="Jackson et al. 2018, doi 10.5281/zenodo.1342401",
    strip=1,
    # Computed from a copy whose 3,000 files have the release's total of 21,128,848 bytes.
    content="baa3a6dcf4da47fb3075bec71a8cefb512022cb9ae030a79a31b315f37bc67af",
)
VERSION = 1  # of the rules below
TEST, VALID = range(5), range(5, 10)  # takes

# Connected digits
UTTERANCES = (3000, 300, 300)  # of train, valid, test
MOST = 6  # digits in one; at least 2
LENGTH = 32000  # samples, 4 s
GAP = (400, 1600)  # samples, 50-200 ms
SEED = 4120


def load() -> Data:
    """Returns the official split: 2,400, 300 and 300 rows of train, valid and test.

    audio [N, 8000] int16, zeros at the end; length [N] int32, samples without them; y [N] int32, the digit;
    speaker [N] int32, index into `SPEAKERS`. Raises DataError where files are missing or differ from the release.
    """
    return _load(data_dir(), None)


def load_without(speaker: str) -> Data:
    """Returns the split with one speaker as test: 2,250, 250 and 500 rows of train, valid and test.

    Leaves are as in `load`. Raises DataError for an unknown speaker, and as `load` does.
    """
    if speaker not in SPEAKERS:
        raise DataError(f"fsdd: no speaker {speaker!r}; there are {', '.join(SPEAKERS)}")
    return _load(data_dir(), speaker)


def load_connected() -> Data:
    """Returns connected digits: 2 to 6 recordings of one speaker and one part of the official split, gaps between them.

    audio [N, 32000] int16, zeros at the end; y [N, 6] int32, digit + 1, then 0: 0 is CTC's blank and padding;
    length [N] int32, samples; digits [N] int32, how many; speaker [N] int32, index into `SPEAKERS`. Train, valid and
    test have 3,000, 300 and 300 rows. Raises DataError as `load` does.
    """
    return _connected(data_dir())


@functools.cache
def _load(root: Path, speaker: str | None) -> Data:
    key = f"{VERSION} {_content(root)}"
    name = f"fsdd-without-{speaker}" if speaker else "fsdd"

    def decode():
        arrays = read(fetch(DATASET, root))
        return without(arrays, SPEAKERS.index(speaker)) if speaker else official(arrays)

    return decoded(name, root, key, decode)


@functools.cache
def _connected(root: Path) -> Data:
    key = f"{VERSION} {_content(root)}"
    return decoded("fsdd-connected", root, key, lambda: connected(load()))


@functools.cache
def _content(root: Path) -> str:
    folder = fetch(DATASET, root)
    found = content(folder, FILES)
    if found != DATASET.content:
        raise DataError(
            f"{folder}: the recordings differ from those of release 1.0.10; delete the folder to fetch them again"
        )
    return found


def read(folder: Path) -> Arrays:
    """Returns all recordings in order of digit, speaker and take: leaves as in `load`, and take [N] int32.

    Raises DataError for a file that is no such recording.
    """
    sounds = [wav.read(folder / file, RATE) for file in FILES]
    digit, speaker, take = np.indices((DIGITS, len(SPEAKERS), TAKES), np.int32).reshape(3, -1)
    audio = np.stack([wav.fit(sound, SAMPLES) for sound in sounds])
    length = np.minimum([len(sound) for sound in sounds], SAMPLES).astype(np.int32)
    return {"audio": audio, "length": length, "y": digit, "speaker": speaker, "take": take}


def official(arrays: Arrays) -> Splits:
    """Returns train, valid and test of all recordings by their takes: 0-4 are test, 5-9 valid."""
    test, valid = np.isin(arrays["take"], TEST), np.isin(arrays["take"], VALID)
    return _split(arrays, test, valid)


def without(arrays: Arrays, speaker: int) -> Splits:
    """Returns train, valid and test of all recordings; those of one speaker, an index into `SPEAKERS`, are test."""
    test = arrays["speaker"] == speaker
    return _split(arrays, test, ~test & np.isin(arrays["take"], TEST))


def _split(arrays, test, valid):
    leaves = {name: leaf for name, leaf in arrays.items() if name != "take"}
    train, valid, test = ({k: v[rows] for k, v in leaves.items()} for rows in (~(test | valid), valid, test))
    return train, valid, test


def connected(data: Data) -> Splits:
    """Returns train, valid and test of `load_connected` from the recordings of `load`; one seed, PCG64."""
    parts = zip(UTTERANCES, (data.train, data.valid, data.test), strict=True)
    train, valid, test = (join(np.random.Generator(np.random.PCG64([SEED, i])), *part) for i, part in enumerate(parts))
    return train, valid, test


def join(rng: np.random.Generator, count: int, arrays: Arrays) -> Arrays:
    """Returns utterances of joined recordings, leaves as in `load_connected`; no recording is twice in one.

    Args:
        rng: draws the recordings and the gaps.
        count: number of utterances, the same for every speaker.
        arrays: a split of `load`.
    """
    audio, y = np.zeros((count, LENGTH), np.int16), np.zeros((count, MOST), np.int32)
    length, digits = np.zeros((2, count), np.int32)
    speaker = rng.permutation(np.arange(count, dtype=np.int32) % len(SPEAKERS))
    for row in range(count):
        picked = rng.choice(np.flatnonzero(arrays["speaker"] == speaker[row]), rng.integers(2, MOST + 1), replace=False)
        starts = _starts(rng, arrays["length"][picked])
        for i, (start, recording) in enumerate(zip(starts, picked, strict=False)):
            length[row] = start + arrays["length"][recording]
            audio[row, start : length[row]] = arrays["audio"][recording, : arrays["length"][recording]]
            y[row, i] = arrays["y"][recording] + 1
        digits[row] = len(starts)
    return {"audio": audio, "y": y, "length": length, "digits": digits, "speaker": speaker}


def _starts(rng, lengths):
    """Where each recording starts; those at the end that reach beyond LENGTH are left out."""
    gaps = rng.integers(*GAP, len(lengths), endpoint=True)
    ends = np.cumsum(lengths + gaps)
    starts = ends - lengths
    return starts[ends <= LENGTH]
