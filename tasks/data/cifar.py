"""CIFAR-10 and CIFAR-100: 60,000 colour images of 32 × 32 pixels, in the binary version of their publisher.

Valid is the last 5,000 images of the publisher's train part; test is the publisher's. A copy of CIFAR-10 whose pixels
went through JPEG is in use and laid out alike; it is told by its content, and results must say so. Other files are
refused.
"""

import functools
from pathlib import Path

import numpy as np

from tasks.base import Arrays, Data
from tasks.data.store.cache import Splits, decoded
from tasks.data.store.dataset import DataError, Dataset, Download, data_dir
from tasks.data.store.fetch import fetch
from tasks.data.store.files import digest, sha256

URL = "https://www.cs.toronto.edu/~kriz/"
SIDE = 32
ROWS = 10000  # of each data_batch and of test
VERSION = 1  # of the rules below
VALID = 5000

# SHA-256 of the files in the archives: from ankane/torchvision-ruby, cifar10.rb and cifar100.rb.
TEN = {
    "cifar-10-batches-bin/data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "cifar-10-batches-bin/data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "cifar-10-batches-bin/data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "cifar-10-batches-bin/data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "cifar-10-batches-bin/data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "cifar-10-batches-bin/test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}
TEN_JPEG = {  # computed from the copy that records of "cifar10-jpeg" were made with
    "cifar-10-batches-bin/data_batch_1.bin": "a6f48cd4d8745d5b80b6a0f7665654d54e1aacda199a3a966cb7958b11d38f22",
    "cifar-10-batches-bin/data_batch_2.bin": "0fedfbc7e914d425128b1bd02ce525bb46d91e8501ef68fa7212b115ee833d29",
    "cifar-10-batches-bin/data_batch_3.bin": "98224e1a8a07e8e89e999b20ca6cde6227368fe22adde323001e2bd951a6377b",
    "cifar-10-batches-bin/data_batch_4.bin": "d15e189b4939a25320baf2370f8a90a276205c86ec9ba1a7078ee110750e4f60",
    "cifar-10-batches-bin/data_batch_5.bin": "0c8c18d4d4520b54624388692c1c184a98d73ef1166ddcf5346e47a937e283b8",
    "cifar-10-batches-bin/test_batch.bin": "2696e48ae3fe74d50ecaacc0b8092b89bf95cd3f6471d079f4cbd39a956c18c3",
}
HUNDRED = {
    "cifar-100-binary/train.bin": "f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29",
    "cifar-100-binary/test.bin": "d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a",
}
CITATION = "Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images"
# Size and SHA-256 of the archives: from TensorFlow Datasets' url_checksums/cifar10.txt and cifar100.txt.
CIFAR10 = Dataset(
    name="cifar10",
    folder="cifar10",
    downloads=(
        Download(
            f"{URL}cifar-10-binary.tar.gz",
            170052171,
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        ),
    ),
    files=tuple(TEN),
    licence="none stated; cite the report",
    citation=CITATION,
)
CIFAR100 = Dataset(
    name="cifar100",
    folder="cifar100",
    downloads=(
        Download(
            f"{URL}cifar-100-binary.tar.gz",
            168513733,
            "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        ),
    ),
    files=tuple(HUNDRED),
    licence="none stated; cite the report",
    citation=CITATION,
)


def load10() -> Data:
    """Returns CIFAR-10: x [N, 32, 32, 3] uint8; y [N] int32, 10 classes.

    Train, valid and test have 45,000, 5,000 and 10,000 rows. Raises DataError where files are missing or unknown.
    """
    return _load10(data_dir())


def load100() -> Data:
    """Returns CIFAR-100: x [N, 32, 32, 3] uint8; y [N] int32, the 100 fine classes.

    Train, valid and test have 45,000, 5,000 and 10,000 rows. Raises DataError where files are missing or unknown.
    """
    return _load100(data_dir())


def variant10() -> str:
    """Returns "cifar10" for the publisher's images to the bit, "cifar10-jpeg" for the copy that went through JPEG."""
    return _variant(CIFAR10, data_dir())[0]


def variant100() -> str:
    """Returns "cifar100": the publisher's images to the bit."""
    return _variant(CIFAR100, data_dir())[0]


def _copies(dataset):
    return {"cifar10": TEN, "cifar10-jpeg": TEN_JPEG} if dataset is CIFAR10 else {"cifar100": HUNDRED}


@functools.cache
def _variant(dataset: Dataset, root: Path) -> tuple[str, str]:
    """Name and digest of the copy in place. Raises DataError where it is none that is known."""
    folder = fetch(dataset, root)
    hashes = {file: sha256(folder / file) for file in dataset.files}
    copies = _copies(dataset)
    for name, known in copies.items():
        if hashes == known:
            return name, digest(hashes)
    known = {(file, sha) for copy in copies.values() for file, sha in copy.items()}
    wrong = next((file for file, sha in hashes.items() if (file, sha) not in known), dataset.files[0])
    raise DataError(
        f"{folder / wrong}: damaged, or of another copy than {' and '.join(copies)}; delete {folder} to fetch it again"
    )


@functools.cache
def _load10(root: Path) -> Data:
    key = f"{VERSION} {_variant(CIFAR10, root)[1]}"
    return decoded("cifar10", root, key, lambda: decode(root / CIFAR10.folder, CIFAR10.files, ROWS, 1))


@functools.cache
def _load100(root: Path) -> Data:
    key = f"{VERSION} {_variant(CIFAR100, root)[1]}"
    return decoded("cifar100", root, key, lambda: decode(root / CIFAR100.folder, CIFAR100.files, 5 * ROWS, 2))


def decode(folder: Path, files: tuple[str, ...], rows: int, labels: int) -> Splits:
    """Returns train, valid and test: VALID images at the end of the train files are valid, the last file is test.

    Args:
        folder: of the files.
        files: their names, test last.
        rows: images in each file but the last, which holds ROWS.
        labels: bytes of labels before each image, see `read`.
    """
    *parts, test = (read(folder / file, ROWS if file == files[-1] else rows, labels) for file in files)
    whole = {name: np.concatenate([part[name] for part in parts]) for name in test}
    train, valid = ({k: leaf[i] for k, leaf in whole.items()} for i in (slice(None, -VALID), slice(-VALID, None)))
    return train, valid, test


def read(path: Path, rows: int, labels: int) -> Arrays:
    """Returns a file's x [rows, 32, 32, 3] uint8 and y [rows] int32.

    The format: per image its labels, one byte each, then 1,024 bytes each of red, green and blue, row by row.

    Args:
        path: of the file.
        rows: images that it holds.
        labels: labels of an image, of which y is the last.
    """
    raw = np.fromfile(path, np.uint8).reshape(rows, labels + 3 * SIDE**2)
    planes = raw[:, labels:].reshape(rows, 3, SIDE, SIDE)
    return {"x": np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), "y": raw[:, labels - 1].astype(np.int32)}
