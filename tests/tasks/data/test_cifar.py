"""CIFAR: files of the publisher's format, small and spoilt; which copy of the images is in place."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tasks.base import count
from tasks.data import cifar
from tasks.data.store.dataset import DataError
from tests.tasks import small
from tests.tasks.files import one_line


@pytest.fixture
def small_cifar(root, monkeypatch):
    return small.cifars(root, monkeypatch)


def test_cifar10(small_cifar):
    data = cifar.load10()
    assert [count(split) for split in data] == [15, 5, 4, 15]
    assert data.train["x"].dtype == np.uint8
    assert data.train["x"].shape == (15, 32, 32, 3)
    assert_array_equal(data.train["x"][6, 0, 1], [99, 13, 14])  # batch 2, third image; row 0, column 1
    assert_array_equal(data.train["x"][6, 1, 0], [12, 13, 14])
    assert_array_equal(data.valid["y"], [3, 0, 1, 2, 3])
    assert_array_equal(data.test["x"][:, 5, 5, 2], [52, 53, 54, 55])
    assert_array_equal(data.calibration["x"], data.train["x"])


def test_cifar100_takes_the_fine_label(small_cifar):
    data = cifar.load100()
    assert [count(split) for split in data] == [15, 5, 4, 15]
    assert_array_equal(data.train["y"], 50 + np.arange(15))
    assert_array_equal(data.train["x"][3, 0, 1], [99, 4, 5])
    assert_array_equal(data.test["y"], np.arange(4))


def test_variant_is_told_by_content(small_cifar, monkeypatch):
    assert cifar.variant10() == "cifar10"
    assert cifar.variant100() == "cifar100"
    cifar._variant.cache_clear()
    monkeypatch.setattr(cifar, "TEN_JPEG", cifar.TEN)
    monkeypatch.setattr(cifar, "TEN", dict.fromkeys(cifar.TEN, "0" * 64))
    assert cifar.variant10() == "cifar10-jpeg"


def test_the_known_copies_have_no_file_in_common():
    assert cifar.TEN.keys() == cifar.TEN_JPEG.keys()
    assert not set(cifar.TEN.values()) & set(cifar.TEN_JPEG.values())
    assert all(len(sha) == 64 for sha in (*cifar.TEN_JPEG.values(), *cifar.HUNDRED.values()))


@pytest.mark.parametrize("spoil", [lambda raw: raw[:-1], lambda raw: raw[:-1] + b"\0"], ids=["cut", "one byte"])
@pytest.mark.parametrize(
    ("load", "file"),
    [
        (cifar.load10, "cifar10/cifar-10-batches-bin/data_batch_3.bin"),
        (cifar.load100, "cifar100/cifar-100-binary/test.bin"),
    ],
)
def test_a_file_of_no_known_copy_is_one_line(small_cifar, load, file, spoil):
    path = small_cifar / file
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(DataError) as error:
        load()
    one_line(error, path, "damaged, or of another copy than cifar10", f"delete {path.parents[1]} to fetch it again")


def test_files_of_two_copies_are_refused(small_cifar, monkeypatch):
    first = next(iter(cifar.TEN))
    monkeypatch.setattr(cifar, "TEN_JPEG", dict.fromkeys(cifar.TEN, "1" * 64) | {first: cifar.TEN[first]})
    monkeypatch.setattr(cifar, "TEN", cifar.TEN | {first: "0" * 64})
    with pytest.raises(DataError, match=f"{first}: damaged, or of another copy than cifar10 and cifar10-jpeg"):
        cifar.load10()
