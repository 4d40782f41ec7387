"""Where datasets lie, what is known of them, and their arrays: verified, decoded once.

    <data directory>/<folder>/...   a dataset's files as its publisher lays them out; what is in place is used
    <data directory>/downloads/     archives as they were fetched; one put here by hand is used
    <data directory>/decoded/       the arrays made of them, one npz per dataset, version and content

The data directory is --data_dir, else the environment variable SLIMBENCH_DATA, else the user's cache.
"""

import contextlib
import dataclasses
import hashlib
import os
import secrets
import shutil
import socket
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pooch

from tasks.base import Arrays, Data

VARIABLE = "SLIMBENCH_DATA"
DAY = 86400  # seconds
Splits = tuple[Arrays, Arrays, Arrays]  # train, valid, test


class DataError(ValueError):
    """A dataset is not there or not right: one line that names the file, what is wrong and what to put where."""


@dataclasses.dataclass(frozen=True)
class Download:
    url: str
    size: int  # bytes
    sha256: str | None  # None: the server packs it anew as it likes, and its content is verified instead

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]


@dataclasses.dataclass(frozen=True)
class Dataset:
    """One row of `DATASETS`: either one archive, or files that are fetched one by one."""

    name: str
    folder: str  # in the data directory
    downloads: tuple[Download, ...]
    files: tuple[str, ...]  # what must lie in the folder; paths with /
    licence: str
    citation: str
    strip: int = 0  # leading folders of the archive that are left out
    content: str | None = None  # `content` of the files, where the archive has no SHA-256

    @property
    def archive(self) -> bool:
        return self.downloads[0].name.endswith((".tar.gz", ".zip"))

    @property
    def size(self) -> int:
        """Bytes to fetch."""
        return sum(download.size for download in self.downloads)


def data_dir() -> Path:
    """Absolute; need not exist."""
    return Path(os.environ.get(VARIABLE) or pooch.os_cache("slimbench")).expanduser().absolute()


def set_data_dir(path: str | os.PathLike) -> None:
    """For this process and those it starts."""
    os.environ[VARIABLE] = os.fspath(path)


def missing(dataset: Dataset, root: Path) -> list[str]:
    """Those of its files that are not in place."""
    return [file for file in dataset.files if not (root / dataset.folder / file).exists()]


@contextlib.contextmanager
def scratch(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`, this call's alone: make a file or folder there, then rename it to `path`.

    What is left there is removed in the end, and what processes that are gone left beside `path` at the start.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob("*.part"):
        if _abandoned(left):
            _remove(left)
    temporary = path.with_name(f"{path.name}~{socket.gethostname()}~{os.getpid()}~{secrets.token_hex(4)}.part")
    try:
        yield temporary
    finally:
        _remove(temporary)


def _abandoned(path):
    """Whether the process that makes a temporary path is gone, or began more than a day ago."""
    with contextlib.suppress(OSError):  # gone in between
        _, host, pid, _ = path.name.rsplit("~", 3) if path.name.count("~") >= 3 else ("", "", "", "")
        gone = host == socket.gethostname() and pid.isdigit() and not _runs(int(pid))
        return bool(pid) and (gone or time.time() - path.stat().st_mtime > DAY)
    return False


def _runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def _remove(path):
    shutil.rmtree(path, ignore_errors=True)
    with contextlib.suppress(OSError):
        path.unlink()


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(path: Path, found: str, expected: str) -> None:
    """Raises DataError where two digests of the content of `path` differ."""
    if found != expected:
        raise DataError(
            f"{path}: SHA-256 is {found}, must be {expected}: damaged, cut short or not the publisher's; "
            "delete it to fetch it again"
        )


def content(folder: Path, files: Iterable[str]) -> str:
    """One digest for the names and the content of many files."""
    return digest({file: sha256(folder / file) for file in files})


def digest(hashes: dict[str, str]) -> str:
    """SHA-256 over the lines `<name> <hash>`, in order of names."""
    return hashlib.sha256("".join(f"{name} {hashes[name]}\n" for name in sorted(hashes)).encode()).hexdigest()


def decoded(name: str, root: Path, key: str, calibration: int, decode: Callable[[], Splits]) -> Data:
    """What `decode` makes of a dataset's files, from the npz of an earlier time where there is one.

    name: of the dataset and of what is made of it; key: changes with the content of the files and with the rules.
    calibration: rows, every n-th of train.
    """
    path = root / "decoded" / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz"
    splits = _kept(path)
    if splits is None:
        splits = decode()
        _write(path, splits)
    stride = len(next(iter(splits[0].values()))) // calibration
    return Data(*splits, {name: leaf[::stride][:calibration] for name, leaf in splits[0].items()})


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
