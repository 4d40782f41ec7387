"""MNIST: 70,000 handwritten digits of 28 × 28 pixels, in the idx format of their publishers.

Valid is the last 5,000 images of the publisher's train part; test is the publisher's.
"""

import functools
import gzip
import hashlib
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from tasks.base import Data
from tasks.data.store.cache import Splits, decoded
from tasks.data.store.dataset import DataError, Dataset, Download, data_dir
from tasks.data.store.fetch import fetch
from tasks.data.store.files import content, verify

URL = "https://storage.googleapis.com/cvdf-datasets/mnist/"  # the mirror that TensorFlow Datasets uses
# Size and SHA-256 of the gz, from TensorFlow Datasets' url_checksums/mnist.txt; SHA-256 of what it holds, since a file
# compressed anew is the same data; shape.
FILES = {
    "train-images-idx3-ubyte.gz": (
        9912422,
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        (60000, 28, 28),
    ),
    "train-labels-idx1-ubyte.gz": (
        28881,
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        (60000,),
    ),
    "t10k-images-idx3-ubyte.gz": (
        1648877,
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        (10000, 28, 28),
    ),
    "t10k-labels-idx1-ubyte.gz": (
        4542,
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        (10000,),
    ),
}
DATASET = Dataset(
    name="mnist",
    folder="mnist",
    downloads=tuple(Download(URL + name, size, sha256) for name, (size, sha256, _, _) in FILES.items()),
    files=tuple(FILES),
    licence="CC BY-SA 3.0",
    citation="LeCun, Bottou, Bengio & Haffner 1998, Proc. IEEE 86(11)",
)
VERSION = 1  # of the rules below
VALID = 5000


def load() -> Data:
    """Returns x [N, 28, 28, 1] uint8 and y [N] int32, the digit.

    Train, valid and test have 55,000, 5,000 and 10,000 rows. Raises DataError where files are missing or damaged.
    """
    return _load(data_dir())


@functools.cache
def _load(root: Path) -> Data:
    folder = fetch(DATASET, root)
    key = f"{VERSION} {content(folder, FILES)}"
    return decoded("mnist", root, key, lambda: decode(folder))


def decode(folder: Path) -> Splits:
    """Returns train, valid and test of the four files. Raises DataError where one is damaged."""
    images, labels, test_images, test_labels = (
        read_idx(folder / name, shape, sha256) for name, (_, _, sha256, shape) in FILES.items()
    )
    x, y = images[..., None], labels.astype(np.int32)
    train, valid = ({"x": x[rows], "y": y[rows]} for rows in (slice(None, -VALID), slice(-VALID, None)))
    return train, valid, {"x": test_images[..., None], "y": test_labels.astype(np.int32)}


def read_idx(path: Path, shape: tuple[int, ...], sha256: str | None = None) -> np.ndarray:
    """Returns the uint8 array of a gzipped idx file.

    The format: two zero bytes, 8 for uint8, the number of axes, the length of each as big-endian uint32, the data.

    Args:
        path: of the file.
        shape: that it must have.
        sha256: hex digest that the unzipped file must have; None for any.

    Raises:
        DataError: the file is damaged or not the publisher's.
    """
    try:
        raw = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be unzipped ({error}); delete it to fetch it again") from None
    header = struct.pack(f">4B{len(shape)}I", 0, 0, 8, len(shape), *shape)
    if not raw.startswith(header):
        raise DataError(f"{path}: is not an idx file of {shape} bytes; put the publisher's there")
    if len(raw) != len(header) + math.prod(shape):
        raise DataError(
            f"{path}: holds {len(raw) - len(header)} bytes of data, must be {math.prod(shape)}; "
            "delete it to fetch it again"
        )
    if sha256:
        verify(path, hashlib.sha256(raw).hexdigest(), sha256)
    return np.frombuffer(raw, np.uint8, offset=len(header)).reshape(shape).copy()
