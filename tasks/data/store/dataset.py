"""Where datasets lie, and what is known of them.

    <data directory>/<folder>/...   a dataset's files as its publisher lays them out; what is in place is used
    <data directory>/downloads/     archives as they were fetched; one put here by hand is used
    <data directory>/decoded/       the arrays made of them, one npz per dataset, version and content

The data directory is --data_dir, else the environment variable SLIMBENCH_DATA, else the user's cache.
"""

import dataclasses
import os
from pathlib import Path

import pooch

VARIABLE = "SLIMBENCH_DATA"


class DataError(ValueError):
    """A dataset is not there or not right: one line that names the file, what is wrong and what to put where."""


@dataclasses.dataclass(frozen=True)
class Download:
    """One file that a publisher's server has."""

    url: str
    size: int  # bytes
    sha256: str | None  # None: the server packs it anew as it likes, and its content is verified instead

    @property
    def name(self) -> str:
        """Returns the file's name, the last part of its address."""
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
        """Tells whether what is fetched must be unpacked."""
        return self.downloads[0].name.endswith((".tar.gz", ".zip"))

    @property
    def size(self) -> int:
        """Returns the bytes to fetch."""
        return sum(download.size for download in self.downloads)


def data_dir() -> Path:
    """Returns the data directory, absolute; it need not exist. Raises DataError for a user without a home."""
    try:
        return Path(os.environ.get(VARIABLE) or pooch.os_cache("slimbench")).expanduser().absolute()
    except RuntimeError as error:
        raise DataError(f"no data directory ({error}); give --data_dir or set {VARIABLE}") from None


def set_data_dir(path: str | os.PathLike) -> None:
    """Sets the data directory of this process and of those it starts."""
    os.environ[VARIABLE] = os.fspath(path)


def missing(dataset: Dataset, root: Path) -> list[str]:
    """Returns those of the dataset's files that are not in place under the data directory `root`."""
    return [file for file in dataset.files if not (root / dataset.folder / file).exists()]
