"""MNIST: files of the publisher's format, small and spoilt."""

import gzip
import hashlib

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tasks.base import count, fingerprint
from tasks.data import mnist
from tasks.data.store.dataset import DataError
from tests.tasks.files import idx, one_line, put


@pytest.fixture
def small_mnist(root, monkeypatch):
    """30 images to train on, of which 10 are valid, and 4 of test; image i is all i."""
    arrays = []
    for number in (30, 4):
        arrays += [np.repeat(np.arange(number, dtype=np.uint8), 784).reshape(number, 28, 28)]
        arrays += [(np.arange(number) % 10).astype(np.uint8)]
    known = {
        name: (0, None, hashlib.sha256(idx(array)).hexdigest(), array.shape)
        for name, array in zip(mnist.FILES, arrays, strict=True)
    }
    for name, array in zip(mnist.FILES, arrays, strict=True):
        put(root / "mnist" / name, gzip.compress(idx(array)))
    monkeypatch.setattr(mnist, "FILES", known)
    monkeypatch.setattr(mnist, "VALID", 10)
    return root / "mnist"


def test_mnist(small_mnist):
    data = mnist.load()
    assert [count(split) for split in data] == [20, 10, 4, 20]
    assert data.train["x"].shape == (20, 28, 28, 1)
    assert data.train["x"].dtype == np.uint8
    assert data.train["y"].dtype == np.int32
    assert_array_equal(data.valid["x"][:, 5, 7, 0], np.arange(20, 30))
    assert_array_equal(data.valid["y"], np.arange(10))
    assert_array_equal(data.calibration["y"], data.train["y"])
    assert mnist.load() is data
    mnist._load.cache_clear()
    assert fingerprint(mnist.load()) == fingerprint(data)  # from the npz


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda raw: gzip.compress(raw)[:-40], ["cannot be unzipped", "delete it"]),
        (lambda raw: b"no gzip", ["cannot be unzipped"]),
        (lambda raw: gzip.compress(raw[:-3]), ["holds 23517 bytes of data, must be 23520"]),
        (lambda raw: gzip.compress(raw[:7] + b"\x1f" + raw[8:]), ["is not an idx file of (30, 28, 28) bytes"]),
        (lambda raw: gzip.compress(raw[:-1] + b"?"), ["SHA-256 is", "must be"]),
    ],
)
def test_a_spoilt_idx_file_is_one_line(small_mnist, spoil, said):
    path = small_mnist / "train-images-idx3-ubyte.gz"
    path.write_bytes(spoil(gzip.decompress(path.read_bytes())))
    with pytest.raises(DataError) as error:
        mnist.load()
    one_line(error, path, *said)
