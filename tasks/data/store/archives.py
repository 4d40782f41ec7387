"""Archives unpacked safely: nothing outside the folder, and the whole folder or nothing."""

import gzip
import os
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

from tasks.data.store.dataset import DataError, Dataset
from tasks.data.store.files import content, scratch

GROWTH, LEAST = 16, 1 << 24  # an archive may hold so many times its own bytes, and always the least


def unpack(archive: Path, folder: Path, dataset: Dataset) -> None:
    """Unpacks an archive as a folder; where another process is first, what it unpacked stays.

    Args:
        archive: a .zip or .tar.gz file.
        folder: must be new or empty.
        dataset: says which files must be inside, and how many leading folders are left out.

    Raises:
        DataError: the archive is damaged or not the dataset's, or there is no room for what it holds.
    """
    with scratch(folder) as whole:
        try:
            whole.mkdir(parents=True)
            (_unzip if archive.name.endswith(".zip") else _untar)(archive, whole, dataset)
        except OSError as error:
            if isinstance(error, gzip.BadGzipFile):
                raise _damaged(archive, error) from None
            raise DataError(f"{folder}: {archive} cannot be unpacked there ({error}); nothing was changed") from None
        except Exception as error:  # whatever reading a damaged archive raises
            raise _damaged(archive, error) from None
        _check(archive, whole, dataset)
        try:
            os.replace(whole, folder)
        except OSError as error:
            if not all((folder / file).exists() for file in dataset.files):
                raise DataError(f"{folder}: is in the way of {archive.name} ({error})") from None


def _damaged(archive, error):
    return DataError(f"{archive}: cannot be unpacked ({error}); delete it to fetch it again")


def _check(archive, whole, dataset):
    for file in dataset.files:
        if not (whole / file).exists():
            raise DataError(f"{archive}: holds no {file}; delete it to fetch it again")
    if dataset.content and content(whole, dataset.files) != dataset.content:
        raise DataError(f"{archive}: its files are not those of {dataset.name}; delete it to fetch it again")


def _unzip(archive, folder, dataset):
    """`extract` keeps every path inside the folder, and makes no links."""
    with zipfile.ZipFile(archive) as file:
        members = file.infolist()
        _bound(sum(member.file_size for member in members), dataset)
        for member in members:
            member.filename = _stripped(member.filename, dataset.strip) + "/" * member.is_dir()
            if member.filename.strip("/"):
                file.extract(member, folder)


def _untar(archive, folder, dataset):
    held = 0

    def inside(member, path):
        nonlocal held
        held += member.size
        _bound(held, dataset)
        name = _stripped(member.name, dataset.strip)
        return tarfile.data_filter(member.replace(name=name, deep=False), path) if name else None

    with tarfile.open(archive) as file:
        file.extractall(folder, filter=inside)


def _stripped(name, strip):
    """The path without its leading folders; "" for those folders themselves, and for files beside them."""
    return "/".join(PurePosixPath(name).parts[strip:])


def _bound(held, dataset):
    most = max(LEAST, GROWTH * dataset.size)
    if held > most:
        raise ValueError(f"it holds {held} bytes or more, at most {most} are believed")
