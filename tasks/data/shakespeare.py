"""Tiny Shakespeare: 1,115,394 characters of plays, 65 different ones.

Split as nanoGPT does: the first 90 % of the characters to train on, the last 10 % to report on. The last 10 % are test;
valid is the last 50,000 characters of the first 90 %.
"""

import functools
from pathlib import Path

import numpy as np

from tasks.base import Data
from tasks.data import text
from tasks.data.store.cache import decoded
from tasks.data.store.dataset import DataError, Dataset, Download, data_dir
from tasks.data.store.fetch import fetch
from tasks.data.store.files import sha256, verify

FILE = "input.txt"
# Size and SHA-256: from TensorFlow Datasets' url_checksums/tiny_shakespeare.txt.
SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
DATASET = Dataset(
    name="shakespeare",
    folder="shakespeare_char",
    downloads=(
        Download(
            "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
            1115394,
            SHA256,
        ),
    ),
    files=(FILE,),
    licence="public domain (Project Gutenberg)",
    citation="Karpathy 2015, char-rnn",
)
CHARACTERS = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"  # token 0 is the newline
VOCABULARY = len(CHARACTERS)  # 65
VERSION = 1  # of the rules below
VALID = 50000  # characters


def load(length: int) -> Data:
    """Returns tokens [N, T + 1] int32 in valid and test, where T is `length`: windows whose targets meet end to end.

    In train and calibration they are [N, 2T + 1]: row i starts at character i·T and holds a window for each shift
    0..T-1. Raises DataError where the file is missing or not the publisher's.
    """
    return _load(data_dir(), length)


@functools.cache
def _load(root: Path, length: int) -> Data:
    path = fetch(DATASET, root) / FILE
    key = f"{VERSION} {sha256(path)}"

    def decode():
        verify(path, sha256(path), SHA256)
        return text.rows(*split(encode(path)), length)

    return decoded(f"shakespeare-{length}", root, key, decode)


def encode(path: Path) -> np.ndarray:
    """Returns tokens [M] int32, indices into `CHARACTERS`. Raises DataError for a byte that is none of them."""
    tokens = np.full(256, -1, np.int32)
    tokens[[ord(c) for c in CHARACTERS]] = np.arange(VOCABULARY)
    found = tokens[np.fromfile(path, np.uint8)]
    if (found < 0).any():
        raise DataError(f"{path}: byte {int((found < 0).argmax())} is none of the {VOCABULARY} characters")
    return found


def split(tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns train, valid and test of tokens [M], in this order in the text."""
    end = int(0.9 * len(tokens))
    return tokens[: end - VALID], tokens[end - VALID : end], tokens[end:]
