"""Archives unpacked safely: no path that leaves the folder, no links, and the whole folder or nothing."""

import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from tasks.data.store import DataError, Dataset, content

BROKEN = (OSError, EOFError, zlib.error, tarfile.TarError, zipfile.BadZipFile)  # what reading a damaged archive raises


def unpack(archive: Path, folder: Path, dataset: Dataset) -> None:
    """All files of `archive` (.zip or .tar.gz) into `folder`, which must be new or empty. Raises DataError.

    Unpacked under a temporary name beside `folder`, then renamed.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=f"{folder.name}.", dir=folder.parent) as scratch:
            whole = Path(scratch) / folder.name
            whole.mkdir()
            for name, source in members(archive):
                _copy(source, whole.joinpath(*_inside(archive, name)[dataset.strip :]))
            _check(archive, whole, dataset)
            os.replace(whole, folder)
    except BROKEN as error:
        raise DataError(f"{archive}: cannot be unpacked ({error}); delete it to fetch it again") from None


def _check(archive, whole, dataset):
    for file in dataset.files:
        if not (whole / file).exists():
            raise DataError(f"{archive}: holds no {file}; delete it to fetch it again")
    if dataset.content and content(whole, dataset.files) != dataset.content:
        raise DataError(f"{archive}: its files are not those of {dataset.name}; delete it to fetch it again")


def members(archive: Path) -> Iterator[tuple[str, BinaryIO]]:
    """Name and content of each file; each must be read before the next. Raises DataError on links and devices."""
    if archive.name.endswith(".zip"):
        with zipfile.ZipFile(archive) as file:
            for info in file.infolist():
                _plain(archive, info.filename, not stat.S_ISLNK(info.external_attr >> 16))
                if not info.is_dir():
                    with file.open(info) as source:
                        yield info.filename, source
    else:
        with tarfile.open(archive, "r|gz") as file:
            for member in file:
                _plain(archive, member.name, member.isreg() or member.isdir())
                if member.isreg():
                    yield member.name, file.extractfile(member)


def _plain(archive, name, plain):
    if not plain:
        raise DataError(f"{archive}: {name!r} is a link or a device; nothing was unpacked, do not use this archive")


def _inside(archive, name):
    """The parts of a member's path. Raises DataError if it leads out of the folder."""
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or "\\" in name or ":" in name:
        raise DataError(f"{archive}: {name!r} leads out of the folder; nothing was unpacked, do not use this archive")
    return parts


def _copy(source, path):
    if path.is_dir():  # a file beside the folders that are left out
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as target:
        shutil.copyfileobj(source, target)
