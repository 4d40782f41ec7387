"""What a method takes of its calibration data, by hand: two batches of four examples."""

import jax
import jax.numpy as jnp
import pytest

from benchmarks.measure.quality import Calibration
from benchmarks.train.optimize import problem_of


@pytest.fixture
def problem(tiny, tiny_data):
    return problem_of(tiny, tiny_data, 0)


def taken(problem):
    found = problem.calibration.taken
    return found.examples, found.drawn, found.labelled


def test_examples_are_counted_once_and_passes_each(tiny, tiny_data):
    calibration = Calibration(tiny, tiny_data.calibration)
    assert calibration.taken.examples == 0
    next(iter(calibration))
    assert (calibration.taken.examples, calibration.taken.drawn) == (4, 4)
    for _ in range(2):
        assert [len(batch["x"]) for batch in calibration] == [4, 4]
    assert (calibration.taken.examples, calibration.taken.drawn, calibration.taken.labelled) == (8, 20, 0)


@jax.jit
def whole(batch):
    return jnp.sum(batch["x"]) + jnp.sum(batch["y"])


WAYS = {  # of using labels; how many times a batch's are used
    "the input alone": (lambda problem, batch: jnp.sum(batch["x"]) + len(batch.get("weight", ())), 0),
    "the loss": (lambda problem, batch: problem.loss(jnp.zeros((4, 3)), batch), 1),
    "its gradient, twice": (lambda problem, batch: [gradient(problem, batch) for _ in "12"], 2),
    "a look": (lambda problem, batch: batch["y"], 1),
    "three looks": (lambda problem, batch: [batch["y"], batch.get("y"), dict(batch)], 3),
    "whole into jit": (lambda problem, batch: whole(batch), 1),
    "as a tree": (lambda problem, batch: jax.tree.map(jnp.sum, batch), 1),
    "its keys": (lambda problem, batch: [*batch, "y" in list(batch), len(batch)], 0),
}


def gradient(problem, batch):
    return jax.jit(jax.grad(lambda bias: problem.loss(bias + jnp.zeros((4, 3)), batch)))(jnp.zeros(3))


@pytest.mark.parametrize("way", WAYS)
def test_uses_of_labels(problem, way):
    use, times = WAYS[way]
    for batch in problem.calibration:
        use(problem, batch)
    assert taken(problem) == (8, 8, 8 * times)


def test_a_batch_is_a_plain_dict_inside_jit(problem):
    batch = next(iter(problem.calibration))
    assert jax.tree.map(jnp.shape, batch) == {"x": (4, 8, 8, 1), "y": (4,)}
    assert {**batch}.keys() == {"x", "y"}
    with pytest.raises(KeyError, match="z"):
        batch["z"]
