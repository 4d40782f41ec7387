"""CIFAR: files of the publisher's format, small and spoilt; which copy of the images is in place."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tasks.base import rows
from tasks.data import cifar, store
from tasks.data.store import DataError
from tests.tasks import small
from tests.tasks.files import one_line


@pytest.fixture
def small_cifar(root, monkeypatch):
    return small.cifars(root, monkeypatch)


def test_cifar10(small_cifar):
    data = cifar.load10()
    assert [rows(split) for split in data] == [15, 5, 4, 3]
    assert data.train["x"].dtype == np.uint8
    assert data.train["x"].shape == (15, 32, 32, 3)
    assert_array_equal(data.train["x"][6, 0, 1], [99, 13, 14])  # batch 2, third image; row 0, column 1
    assert_array_equal(data.train["x"][6, 1, 0], [12, 13, 14])
    assert_array_equal(data.valid["y"], [3, 0, 1, 2, 3])
    assert_array_equal(data.test["x"][:, 5, 5, 2], [52, 53, 54, 55])
    assert_array_equal(data.calibration["x"][:, 9, 9, 0], [0, 11, 22])


def test_cifar100_takes_the_fine_label(small_cifar):
    data = cifar.load100()
    assert [rows(split) for split in data] == [15, 5, 4, 3]
    assert_array_equal(data.train["y"], 50 + np.arange(15))
    assert_array_equal(data.train["x"][3, 0, 1], [99, 4, 5])
    assert_array_equal(data.test["y"], np.arange(4))


def test_variant_is_told_by_content(small_cifar, monkeypatch):
    assert cifar.variant10() == "cifar10-jpeg"
    assert cifar.variant100() == "cifar100-jpeg"
    hashes = {file: store.sha256(small_cifar / "cifar10" / file) for file in cifar.TEN}
    monkeypatch.setattr(cifar, "TEN", hashes)
    assert cifar.variant10() == "cifar10"


def test_a_cifar_file_of_wrong_size_is_one_line(small_cifar):
    path = small_cifar / "cifar10/cifar-10-batches-bin/data_batch_3.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError) as error:
        cifar.load10()
    one_line(error, path, "12291 bytes, must be 12292, 4 images of 3073")
