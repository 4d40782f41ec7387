"""A dataset's arrays: decoded once, and kept."""

import contextlib
import hashlib
import os
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tasks.base import Arrays, Data, pooled
from tasks.data.store.dataset import DataError
from tasks.data.store.files import scratch

Splits = tuple[Arrays, Arrays, Arrays]  # train, valid, test


def decoded(name: str, root: Path, key: str, decode: Callable[[], Splits]) -> Data:
    """Returns what `decode` makes of a dataset's files, read from the npz of an earlier time where there is one.

    An npz that is damaged is set aside with a word on stderr, and made again.

    Args:
        name: of the dataset and of what is made of it.
        root: data directory.
        key: changes with the content of the files and with the rules by which they are decoded.
        decode: makes train, valid and test.
    """
    path = root / "decoded" / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz"
    splits = _kept(path)
    if splits is None:
        splits = decode()
        _write(path, splits)
    return pooled(*splits)


def _kept(path):
    """The splits of an earlier time; None where there are none, or they are damaged: then set aside with a word."""
    try:
        return _read(path) if path.exists() else None
    except DataError as error:
        with contextlib.suppress(OSError):
            os.replace(path, f"{path}.bad")
        print(f"{error}; set aside as {path.name}.bad and made again", file=sys.stderr)
        return None


def _read(path):
    """Train, valid and test. Raises DataError."""
    try:
        with zipfile.ZipFile(path):  # not the npy that np.load would read as well
            pass
        with np.load(path) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({error})") from None
    parts = ("train/", "valid/", "test/")
    splits = tuple({k.removeprefix(part): v for k, v in found.items() if k.startswith(part)} for part in parts)
    for part, split in zip(parts, splits, strict=True):
        if not split:
            raise DataError(f"{path}: holds no array of {part}")
    return splits


def _write(path, splits):
    arrays = {f"{part}/{k}": v for part, split in zip(Data._fields, splits, strict=False) for k, v in split.items()}
    # A disk that is full or may not be written to: decoded again the next time.
    with contextlib.suppress(OSError), scratch(path) as temporary:
        with temporary.open("wb") as file:
            np.savez(file, **arrays)
        os.replace(temporary, path)
