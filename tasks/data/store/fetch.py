"""Datasets fetched from their publishers by pooch: verified, whole or not there at all; what is in place is used."""

import os
import sys
import textwrap
from pathlib import Path

import pooch

from tasks.data.store.archives import unpack
from tasks.data.store.dataset import DataError, Dataset, missing
from tasks.data.store.files import scratch, sha256, verify

CHUNK = 1 << 16  # bytes


def fetch(dataset: Dataset, root: Path, *, progress: bool | None = None) -> Path:
    """Returns the dataset's folder with all its files in place; fetches what is missing.

    Args:
        dataset: one row of `DATASETS`.
        root: data directory.
        progress: whether to show a bar; None for one on a terminal only.

    Raises:
        DataError: it cannot be fetched or unpacked, or is damaged; the line says what to put where.
    """
    folder = root / dataset.folder
    absent = missing(dataset, root)
    progress = sys.stderr.isatty() if progress is None else progress
    if absent and not dataset.archive:
        for download in dataset.downloads:
            if not (folder / download.name).exists():
                _retrieve(download, folder, progress, folder)
    elif absent:
        if folder.exists() and any(folder.iterdir()):
            absent = missing(dataset, root)  # another process may just have put all of them there
            if not absent:
                return folder
            raise DataError(
                f"{dataset.name}: {folder} lacks {_some(absent)}; put it there, or delete {folder} to fetch it again"
            )
        unpack(_retrieve(dataset.downloads[0], root / "downloads", progress, folder), folder, dataset)
    return folder


def _some(names):
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def _retrieve(download, folder, progress, place):
    """Path of the file in `folder`, fetched under a temporary name and verified, unless it is there and right."""
    path = folder / download.name
    if path.exists():
        if download.sha256:
            verify(path, sha256(path), download.sha256)
        return path
    try:
        with scratch(path) as temporary:
            pooch.HTTPDownloader(progressbar=progress, chunk_size=CHUNK)(download.url, str(temporary), None)
            if download.sha256:
                verify(path, sha256(temporary), download.sha256)
            os.replace(temporary, path)
    except (OSError, ValueError) as error:  # ValueError: wrong hash
        raise DataError(
            f"{download.url}: cannot be fetched ({textwrap.shorten(str(error), 160)}); put the file "
            f"({download.size} bytes, SHA-256 {download.sha256 or 'not fixed'}) at {path}"
            + ("" if folder == place else f", or what it holds into {place}")
        ) from None
    return path
