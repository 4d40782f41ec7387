"""The real datasets, where they are in the data directory."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
import tokenizers
from numpy.testing import assert_array_equal

from tasks import TASKS
from tasks.base import count, fingerprint
from tasks.data import DATASETS, cifar, fsdd, mnist, shakespeare, speech_commands, sst2, wikitext
from tasks.data.store.dataset import missing
from tasks.data.store.files import sha256
from tasks.language_model import unigram
from tests.tasks.files import idx

REAL = os.environ.get("SLIMBENCH_DATA")
LOADERS = {
    "mnist": (mnist.load, (55000, 5000, 10000, 1000), "f204a0bb1d7a5df7"),
    "cifar10": (cifar.load10, (45000, 5000, 10000, 1000), None),
    "cifar100": (cifar.load100, (45000, 5000, 10000, 1000), None),
    "shakespeare": (lambda: shakespeare.load(64), (14902, 781, 1742, 1000), "8858384e5903389a"),
    "sst2": (sst2.load, (60935, 697, 872, 1000), "659cf5721f043df7"),
    "fsdd": (fsdd.load, (2400, 300, 300, 1000), "b2feef9fd0540e14"),
    "wikitext2": (lambda: wikitext.load(64), (32633, 3400, 3837, 1000), None),
    "speech_commands": (speech_commands.load, None, None),
}
each_real = pytest.mark.parametrize("name", LOADERS)


@pytest.fixture
def real(name):
    """The loaded dataset."""
    if not REAL:
        pytest.skip("SLIMBENCH_DATA is not set")
    if missing(DATASETS[name], Path(REAL)):
        pytest.skip(f"{name} is not in {REAL}")
    return LOADERS[name][0]()


@each_real
def test_real_split_sizes(name, real):
    assert LOADERS[name][1] in (None, tuple(count(split) for split in real))


@each_real
def test_real_fingerprint(name, real):
    if name == "sst2" and tokenizers.__version__ != "0.23.3":
        pytest.skip("the pieces may differ between versions of tokenizers")
    assert LOADERS[name][2] in (None, fingerprint(real))


# Not CIFAR: its train and test parts hold images twice as published (Barz & Denzler 2020, arXiv 1902.00423).
@pytest.mark.parametrize("name", ["mnist", "shakespeare", "sst2", "fsdd"])
def test_no_real_example_lies_in_two_splits(name, real):
    def examples(split):
        return {row.tobytes() for row in max(split.values(), key=lambda leaf: leaf.ndim)}

    train, valid, test, _ = map(examples, real)
    assert not train & valid
    assert not train & test
    assert not valid & test


@each_real
def test_real_calibration_is_a_pool_with_every_class(name, real):
    main = max(real.train, key=lambda leaf: real.train[leaf].ndim)
    rows = {row.tobytes() for row in real.calibration[main]}
    assert count(real.calibration) == 1000
    assert rows < {row.tobytes() for row in real.train[main]}
    if name != "cifar100" and "y" in real.train:
        assert set(real.calibration["y"]) == set(real.train["y"])


@pytest.mark.parametrize("name", ["mnist"])
def test_real_mnist_is_exact(name, real):
    images = np.concatenate([real.train["x"], real.valid["x"]])
    assert hashlib.md5(idx(images[..., 0])).hexdigest() == "6bbc9ace898e44ae57da46a324031adb"
    assert hashlib.md5(idx(real.test["x"][..., 0])).hexdigest() == "2646ac647ad5339dbf082846283269ea"
    labels = np.concatenate([real.train["y"], real.valid["y"]]).astype(np.uint8)
    assert hashlib.md5(idx(labels)).hexdigest() == "a25bea736e30d166cdddb491f175f624"
    assert hashlib.md5(idx(real.test["y"].astype(np.uint8))).hexdigest() == "27ae3e4e09519cfbb04c329615203637"


@pytest.mark.parametrize("name", ["cifar10"])
def test_real_cifar10_is_named_by_its_content(name, real):
    exact = sha256(Path(REAL) / "cifar10/cifar-10-batches-bin/test_batch.bin").startswith("8e2eb146ae34")
    assert cifar.variant10() == ("cifar10" if exact else "cifar10-jpeg")
    assert_array_equal(np.bincount(real.test["y"]), 1000)


@pytest.mark.parametrize("name", ["shakespeare"])
def test_real_shakespeare_is_exact(name, real):
    tokens = shakespeare.encode(Path(REAL) / "shakespeare_char/input.txt")
    characters = "".join(shakespeare.CHARACTERS[token] for token in tokens)
    assert hashlib.md5(characters.encode()).hexdigest() == "6fb458f1232090904fb40fe944165e91"
    assert [len(part) for part in shakespeare.split(tokens)] == [953854, 50000, 111540]
    assert set(tokens) == set(range(65))
    assert unigram(real, 64, 65) == pytest.approx(TASKS["shakespeare_nano"].reference, abs=5e-5)


@pytest.mark.parametrize("name", ["sst2"])
def test_real_sst2_holds_out_whole_sentences(name, real):
    phrases, labels = sst2.read(Path(REAL) / "sst2/SST-2/train.tsv", 67349)
    train, valid = sst2.split(phrases)
    assert_array_equal(labels[valid], real.valid["y"])
    running = "\n".join(f" {phrases[i]} " for i in train)
    assert not [phrases[i] for i in valid if f" {phrases[i]} " in running]
    assert not set(train) & set(valid)
    assert real.train["ids"].max() == sst2.VOCABULARY - 1


@pytest.mark.parametrize("name", ["fsdd"])
def test_real_fsdd_without_a_speaker_and_connected(name, real):
    assert fingerprint(fsdd.load_without("theo")) == "4fd4628b24710063"
    assert fingerprint(fsdd.load_connected()) == "370b9d3cbadd43a1"
    assert_array_equal(np.bincount(real.test["y"]), 30)
    assert_array_equal(np.bincount(real.train["speaker"]), 400)
