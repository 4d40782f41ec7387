"""Grids of module inputs in the body of an artifact."""

import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.artifact import grids
from benchmarks.artifact.body import Sink, Source
from methods.transforms.grids import Quantizer
from tests.benchmarks.artifact.leaves import assert_same


def grid(scale=0.1, zero_point=7.0, low=0.0, high=15.0):
    return Quantizer(*(jnp.asarray(v, jnp.float32) for v in (scale, zero_point, low, high)))


def body(inputs, known):
    sink = Sink()
    grids.encode(inputs, known, sink)
    return sink.close()


def test_modules_are_those_with_weights_and_the_named_ones():
    paths = ["params/up/kernel", "params/up/bias", "params/a/b/w", "batch_stats/norm/mean", "params/w"]
    assert grids.modules(paths, ["a/scores"]) == ["", "a/b", "a/scores", "norm", "up"]


def test_a_grid_by_hand():
    """One grid, of module 1, from 0 on and 15 more; scale of no axis; zero point int8 of no axis. Then their values."""
    assert body({"up": grid()}, ["norm", "up"]) == bytes([1, 1, 0, 15, 0, 0, 0, 0]) + np.float32(0.1).tobytes() + b"\7"


@pytest.mark.parametrize(
    "one",
    [
        grid(),
        grid([[0.1, 1 / 3]], [[-0.0, 3.0]], -8, 7),
        grid(0.5, 40000, -(2.0**31), 2.0**31),
        grid(np.ones((0, 2)), np.ones((1, 1)), 3, 3),
    ],
)
def test_shape_and_every_bit_come_back(one):
    source = Source(body({"b": one, "a": grid()}, ["a", "b"]), 0)
    first, second = grids.read(source, ["a", "b"])
    source.open()
    assert (first.module, second.module) == ("a", "b")
    assert_same(grids.decode(first, source), grid())
    assert_same(grids.decode(second, source), one)
    source.close()


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (grid(np.nan), "activations/up: grid is not finite"),
        (grid(high=np.inf), "activations/up: grid is not finite"),
        (grid(low=0.5), "activations/up: codes from 0.5 to 15.0 are no range of integers"),
        (grid(high=-1), "activations/up: codes from 0.0 to -1.0 are no range"),
        (grid(high=2.0**33), "activations/up: codes from 0.0 to 8589934592.0 are no range"),
    ],
)
def test_what_is_no_grid_is_refused(one, why):
    with pytest.raises(ValueError, match=why):
        body({"up": one}, ["up"])


@pytest.mark.parametrize(
    ("description", "why"),
    [
        ([1, 2, 0, 15, 0, 0, 0], "a grid is of module 2 of 2"),
        ([1, 1, 0, 15, 0, 9, 0], "zero points have no dtype 9"),
        ([1, 1, 0, 15, 200], "ends within its description"),
        ([255, 255, 255, 255, 15, 1, 0], "ends within its description"),
    ],
)
def test_descriptions_that_fit_no_grid_are_refused(description, why):
    with pytest.raises(ValueError, match=why):
        grids.read(Source(bytes(description), 0), ["norm", "up"])
