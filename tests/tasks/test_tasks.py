"""Every task, by being registered: splits, fingerprints, shapes, and outcomes on logits made by hand."""

import functools
import platform
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tasks import TASKS
from tasks.base import fingerprint, prepared, rows

EXPECTED = {  # rows of train, valid, test, calibration; shape and type of one x; parameters
    "digits": ((1197, 200, 400, 200), (8, 8, 1), np.float32, 22602),
    "spoken_digits": ((2800, 400, 800, 200), (39, 24, 1), np.float32, 13194),
    "pydoc": (None, (64,), np.int32, 69121),
}
PYDOC = {"3.11.7": ("2cdf384c0b0665f3", (4668, 587, 572, 256))}  # by Python version, like the text
FINGERPRINTS = {"digits": "651b51cc32ca34f8", "spoken_digits": "24a2f0e596fe88b0"}

each_task = pytest.mark.parametrize("name", sorted(TASKS))


def pydoc_of_this_python():
    version = platform.python_version()
    if version not in PYDOC:
        pytest.skip(f"pydoc's text differs between Python versions; no value is committed for {version}")
    return PYDOC[version]


def test_every_task_is_expected_here():
    assert sorted(TASKS) == sorted(EXPECTED)
    assert all(task.name == name for name, task in TASKS.items())


@each_task
def test_split_sizes(name):
    expected = EXPECTED[name][0] or pydoc_of_this_python()[1]
    assert tuple(rows(split) for split in TASKS[name].load()) == expected


@each_task
def test_leaves_share_their_leading_axis(name):
    for split in TASKS[name].load():
        assert {len(leaf) for leaf in split.values()} == {rows(split)}


@each_task
def test_fingerprint(name):
    expected = FINGERPRINTS.get(name) or pydoc_of_this_python()[0]
    assert fingerprint(TASKS[name].load()) == expected


def examples(arrays):
    """The bytes of each row."""
    main = max(arrays.values(), key=lambda leaf: leaf.ndim)
    return [row.tobytes() for row in main]


@pytest.mark.parametrize("name", ["digits", "spoken_digits"])
def test_no_example_lies_in_two_splits(name):
    train, valid, test, _ = (set(examples(split)) for split in TASKS[name].load())
    assert not train & valid
    assert not train & test
    assert not valid & test


def paragraphs(arrays):
    characters = "".join(map(chr, range(32, 127))) + "\n\0"
    text = "".join(characters[token] for token in arrays["tokens"][:, :64].ravel())
    return {" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text)} - {""}


def test_no_paragraph_lies_in_two_splits():
    train, valid, test, _ = (paragraphs(split) for split in TASKS["pydoc"].load())
    assert min(map(len, (train, valid, test))) > 100
    assert not train & valid
    assert not train & test
    assert not valid & test


@each_task
def test_calibration_is_a_slice_of_train(name):
    data = TASKS[name].load()
    train, calibration = examples(data.train), examples(data.calibration)
    stride = train.index(calibration[1])
    assert calibration == train[::stride][: len(calibration)]
    assert 128 <= len(calibration) <= 256


@each_task
def test_net_has_the_expected_parameters(name):
    task = TASKS[name]
    _, shape, dtype, parameters = EXPECTED[name]
    variables = jax.eval_shape(task.net.init, jax.random.key(0), jnp.zeros((1, *shape), dtype))
    assert sum(leaf.size for leaf in jax.tree.leaves(variables["params"])) == parameters


@each_task
@pytest.mark.parametrize(("split", "augment"), [("train", True), ("train", False), ("test", False)])
def test_batch_shapes_do_not_depend_on_split_or_augmentation(name, split, augment):
    _, shape, dtype, _ = EXPECTED[name]
    batch = make_batch(name)(getattr(ready(name), split), np.array([0, 5, 7]), jax.random.key(0) if augment else None)
    assert batch["x"].shape == (3, *shape)
    assert batch["x"].dtype == dtype
    assert batch["y"].shape == ((3, 64) if name == "pydoc" else (3,))
    assert np.isfinite(batch["x"]).all()


@functools.cache
def make_batch(name):
    return jax.jit(TASKS[name].batch)


@functools.cache
def ready(name):
    return prepared(TASKS[name], TASKS[name].load())


@each_task
def test_augmentation_follows_the_key(name):
    train, batch = ready(name).train, make_batch(name)
    first, again, other, plain = (
        batch(train, np.arange(8), key)["x"] for key in (jax.random.key(0), jax.random.key(0), jax.random.key(1), None)
    )
    assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, plain)


@pytest.mark.parametrize("name", ["digits", "spoken_digits"])
def test_loss_and_outcome_of_a_classifier(name):
    logits = np.zeros((2, 10), np.float32)
    logits[:, 3] = np.log(9)  # p = 9/18 for class 3, 1/18 for each other
    batch = {"y": np.array([3, 0])}
    assert_allclose(TASKS[name].loss(logits, batch), np.log([2, 18]), rtol=1e-6)
    assert_array_equal(TASKS[name].outcomes(logits, batch), [1, 0])


def test_loss_and_outcome_of_the_language_model():
    logits = np.full((2, 4, 97), -100.0, np.float32)
    logits[0, :, :2] = 0  # 1 bit a character
    logits[1, :2, :4] = logits[1, 2:, :16] = 0  # 2 bits, then 4
    batch = {"y": np.ones((2, 4), np.int32)}
    assert_allclose(TASKS["pydoc"].outcomes(logits, batch), [1, 3], rtol=1e-6)
    assert_allclose(TASKS["pydoc"].loss(logits, batch), np.log([2, 8]), rtol=1e-6)


def test_reach_lies_well_below_the_trigram_model():
    task = TASKS["pydoc"]
    assert task.reach < task.controls(task.load())["3-gram bits per character"] - 0.3
