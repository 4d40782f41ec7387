"""Every task, by being registered and having a row in EXPECTED: splits, shapes, parameters, outcomes on logits made by
hand. Numbers of the suite's own embedded data have tables of their own.

What is particular to a downloaded dataset is tested in `tests/tasks/data`; without it in place its tasks' nets are
tested here, and the rest is skipped.
"""

import functools
import platform
import re
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tasks import TASKS
from tasks.base import Data, count, fingerprint, prepared, reference
from tasks.data import DATASETS, fsdd, pydoc
from tasks.data.store.dataset import data_dir, missing
from tasks.language_model import bits, nats, unigram
from tasks.speech.fsdd_ctc import edits


class Expected(NamedTuple):
    dataset: str | None  # None: ships with a dependency
    x: tuple  # shape of one input
    dtype: type
    parameters: int
    y: tuple = ()
    augments: bool = True


EXPECTED = {
    "digits": Expected(None, (8, 8, 1), np.float32, 22602),
    "pydoc": Expected(None, (64,), np.int32, 69121, (64,)),
    "spoken_digits": Expected(None, (39, 24, 1), np.float32, 13194),
    "mnist_lenet300": Expected("mnist", (28, 28, 1), np.float32, 266610, augments=False),
    "mnist_lenet5": Expected("mnist", (28, 28, 1), np.float32, 431080, augments=False),
    "mnist_mlp800": Expected("mnist", (28, 28, 1), np.float32, 1276810, augments=False),
    "cifar10_resnet8": Expected("cifar10", (32, 32, 3), np.float32, 78186),
    "cifar10_resnet20": Expected("cifar10", (32, 32, 3), np.float32, 272474),
    "cifar10_resnet56": Expected("cifar10", (32, 32, 3), np.float32, 855770),
    "cifar10_vgg16": Expected("cifar10", (32, 32, 3), np.float32, 14728266),
    "cifar100_resnet20": Expected("cifar100", (32, 32, 3), np.float32, 278324),
    "cifar100_wrn16_2": Expected("cifar100", (32, 32, 3), np.float32, 703284),
    "cifar100_resnet8x4": Expected("cifar100", (32, 32, 3), np.float32, 1233540),
    "cifar100_vgg8": Expected("cifar100", (32, 32, 3), np.float32, 3965028),
    "shakespeare_nano": Expected("shakespeare", (64,), np.int32, 818241, (64,)),
    "shakespeare_gpt": Expected("shakespeare", (256,), np.int32, 10795841, (256,)),
    "sst2_encoder": Expected("sst2", (48,), np.int32, 615298),
    "wikitext2_gpt": Expected("wikitext2", (64,), np.int32, 20247550, (64,)),
    "fsdd_dscnn": Expected("fsdd", (49, 32, 1), np.float32, 18122),
    **{f"fsdd_speaker_{s}": Expected("fsdd", (49, 32, 1), np.float32, 18122) for s in fsdd.SPEAKERS},
    "fsdd_ctc": Expected("fsdd", (265, 40), np.float32, 206779, (6,)),
    "speech_commands_dscnn": Expected("speech_commands", (49, 10, 1), np.float32, 23180),
    "speech_commands_bcresnet": Expected("speech_commands", (98, 40, 1), np.float32, 9232),
}
EMBEDDED = [name for name, expected in EXPECTED.items() if expected.dataset is None]
CONTENT = {  # fingerprint, and rows of each split
    "digits": ("66340388f51ff778", (1197, 200, 400, 1000)),
    "spoken_digits": ("4c072c6e9568a9d6", (2800, 400, 800, 1000)),
}
PYDOC = {"3.11.7": ("e2eab67b5f8d90cb", (4668, 587, 572, 1000))}  # by Python version, like the text

each_task = pytest.mark.parametrize("name", sorted(TASKS))
each_embedded = pytest.mark.parametrize("name", EMBEDDED)


def test_every_task_is_expected_here():
    assert sorted(TASKS) == sorted(EXPECTED)
    assert all(task.name == name for name, task in TASKS.items())


@pytest.mark.parametrize("name", [*CONTENT, "pydoc"])
def test_content_of_the_suite_s_own_data(name):
    version = platform.python_version()
    if name == "pydoc" and version not in PYDOC:
        pytest.skip(f"pydoc's text differs between Python versions; no value is committed for {version}")
    data = TASKS[name].load()
    expected = PYDOC[version] if name == "pydoc" else CONTENT[name]
    assert (fingerprint(data), tuple(count(split) for split in data)) == expected


@each_embedded
def test_leaves_share_their_leading_axis(name):
    for split in TASKS[name].load():
        assert {len(leaf) for leaf in split.values()} == {count(split)}


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


@each_embedded
def test_calibration_is_a_pool_within_train(name):
    data = TASKS[name].load()
    train, calibration = examples(data.train), examples(data.calibration)
    assert len(calibration) == len(set(calibration)) == 1000
    assert set(calibration) < set(train)
    assert TASKS[name].calibration <= 256


CLUSTERS = {"digits": None, "pydoc": (16, 17), "spoken_digits": (20, 20)}  # how many, and the largest number + 1


@pytest.mark.parametrize("name", CLUSTERS)
def test_clusters_of_test_examples(name):
    found = TASKS[name].clusters(TASKS[name].load().test)
    if CLUSTERS[name] is None:
        assert found is None
    else:
        assert found.shape == (count(TASKS[name].load().test),)
        assert (len(set(found)), found.max() + 1) == CLUSTERS[name]


@each_task
def test_net_has_the_expected_parameters(name):
    expected = EXPECTED[name]
    variables = jax.eval_shape(TASKS[name].net.init, jax.random.key(0), jnp.zeros((1, *expected.x), expected.dtype))
    assert sum(leaf.size for leaf in jax.tree.leaves(variables["params"])) == expected.parameters


@each_task
def test_it_offers_batch_norm_if_its_net_has_any(name):
    expected = EXPECTED[name]
    variables = jax.eval_shape(TASKS[name].net.init, jax.random.key(0), jnp.zeros((1, *expected.x), expected.dtype))
    assert ("batch_norm" in TASKS[name].offers) == ("batch_stats" in variables)


@each_task
def test_curves_are_scored_where_files_are_smaller_than_dense_ones(name):
    window = TASKS[name].window
    assert window is None or EXPECTED[name].parameters / 8 < window[0] < window[1] < EXPECTED[name].parameters * 1.2


def in_place(name):
    """Skips the test of a task whose dataset is not in the data directory."""
    dataset = EXPECTED[name].dataset
    if dataset and missing(DATASETS[dataset], data_dir()):
        pytest.skip(f"{dataset} is not in the data directory")


@each_task
def test_the_reference_is_no_better_than_the_bar(name):
    task = TASKS[name]
    if callable(task.reference):
        in_place(name)
    value = reference(task, task.load() if callable(task.reference) else None)
    assert value <= task.reach if task.metric.higher_is_better else value >= task.reach


@pytest.mark.parametrize("name", ["digits", "spoken_digits"])
def test_the_reference_of_classes_is_a_guess(name):
    task = TASKS[name]
    assert reference(task, task.load()) == 1 / len(np.unique(task.load().test["y"]))


def test_the_reference_of_a_text_is_what_frequencies_tell():
    """In bits; up to what differs between the texts of Python versions."""
    nats = unigram(TASKS["pydoc"].load(), pydoc.LENGTH, pydoc.VOCABULARY)
    assert TASKS["pydoc"].reference == pytest.approx(nats / np.log(2), abs=0.1)


@functools.cache
def ready(name):
    """The first rows of each split, as `batch` takes them."""
    in_place(name)
    first = Data(*({k: leaf[:16] for k, leaf in split.items()} for split in TASKS[name].load()))
    return prepared(TASKS[name], first)


@functools.cache
def make_batch(name):
    return jax.jit(TASKS[name].batch)


@each_task
@pytest.mark.parametrize(("split", "augment"), [("train", True), ("train", False), ("test", False)])
def test_batch_shapes_do_not_depend_on_split_or_augmentation(name, split, augment):
    expected = EXPECTED[name]
    batch = make_batch(name)(getattr(ready(name), split), np.array([0, 5, 7]), jax.random.key(0) if augment else None)
    assert batch["x"].shape == (3, *expected.x)
    assert batch["x"].dtype == expected.dtype
    assert batch["y"].shape == (3, *expected.y)
    assert np.isfinite(batch["x"]).all()


@each_embedded
def test_a_batch_has_its_dtype_also_where_jax_has_64_bits(name):
    task = TASKS[name]
    with jax.enable_x64(True):
        prepare = lambda arrays, key: task.batch(task.prepare(arrays), np.arange(4), key)  # noqa: E731
        batch = jax.eval_shape(prepare, task.load().calibration, jax.random.key(0))
    assert batch["x"].dtype == EXPECTED[name].dtype


@each_task
def test_augmentation_follows_the_key(name):
    train, batch = ready(name).train, make_batch(name)
    first, again, other, plain = (
        batch(train, np.arange(8), key)["x"] for key in (jax.random.key(0), jax.random.key(0), jax.random.key(1), None)
    )
    assert_array_equal(first, again)
    assert np.array_equal(first, other) != EXPECTED[name].augments
    assert np.array_equal(first, plain) != EXPECTED[name].augments


@each_task
def test_loss_and_outcome_of_a_net_that_knows_nothing(name):
    """An untrained net's logits, all zeros: ln K for one of K classes, and outcomes in their range."""
    task, batch = TASKS[name], make_batch(name)(ready(name).test, np.arange(4), None)
    shape = jax.eval_shape(lambda x: task.net.init_with_output(jax.random.key(0), x)[0], batch["x"]).shape
    loss, outcomes = task.loss(jnp.zeros(shape), batch), task.outcomes(jnp.zeros(shape), batch)
    assert loss.shape == outcomes.shape == (4,)
    assert (outcomes >= 0).all()
    if task.metric.outcome != "edits":
        assert_allclose(loss, np.log(shape[-1]), rtol=1e-5)


@pytest.mark.parametrize("name", ["digits", "spoken_digits"])
def test_loss_and_outcome_of_a_classifier(name):
    logits = np.zeros((2, 10), np.float32)
    logits[:, 3] = np.log(9)  # p = 9/18 for class 3, 1/18 for each other
    batch = {"y": np.array([3, 0])}
    assert_allclose(TASKS[name].loss(logits, batch), np.log([2, 18]), rtol=1e-6)
    assert_array_equal(TASKS[name].outcomes(logits, batch), [1, 0])


def test_loss_and_outcome_of_a_language_model():
    logits = np.full((2, 4, 97), -100.0, np.float32)
    logits[0, :, :2] = 0  # 1 bit a character
    logits[1, :2, :4] = logits[1, 2:, :16] = 0  # 2 bits, then 4
    batch = {"y": np.ones((2, 4), np.int32)}
    assert_allclose(bits(logits, batch), [1, 3], rtol=1e-6)
    assert_allclose(nats(logits, batch), np.log([2, 8]), rtol=1e-6)


@pytest.mark.parametrize(
    ("frames", "said", "distance"),
    [
        ([0, 3, 3, 0, 5, 5, 0], [3, 5, 0, 0], 0),  # repeats merged
        ([3, 0, 3, 0, 0, 0, 0], [3, 3, 0, 0], 0),  # a blank between: said twice
        ([3, 3, 3, 3, 3, 3, 3], [3, 3, 0, 0], 1),  # one left out
        ([0, 0, 0, 0, 0, 0, 0], [1, 2, 3, 4], 4),
        ([1, 2, 1, 2, 1, 2, 1], [2, 1, 0, 0], 5),  # five too many
        ([4, 2, 3, 9, 9, 0, 0], [1, 2, 3, 0], 2),  # one wrong, one too many
    ],
)
def test_edits_by_hand(frames, said, distance):
    assert jax.jit(edits)(jnp.int32(frames), jnp.int32(said)) == distance


def test_reach_lies_well_below_the_trigram_model():
    task = TASKS["pydoc"]
    assert task.reach < task.controls(task.load())["3-gram bits per character"] - 0.3
