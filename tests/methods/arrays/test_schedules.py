"""The cubic schedule and the steps that are due, by hand."""

import jax.numpy as jnp
import pytest
from numpy.testing import assert_allclose

from methods.arrays.schedules import cubic, is_due


@pytest.mark.parametrize(("step", "share"), [(0, 0), (1, 0.271), (5, 0.875), (9, 0.999), (10, 1), (13, 1)])
def test_cubic_by_hand(step, share):
    assert_allclose(cubic(jnp.int32(step), jnp.int32(10)), share, rtol=1e-6)


def test_cubic_is_exactly_one_from_the_end_on():
    for step, end in [(0, 0), (1, 0), (10, 10), (99, 10)]:
        assert cubic(jnp.int32(step), jnp.int32(end)) == 1


def due(end, times=16):
    return [step for step in range(1, end + 20) if is_due(jnp.int32(step), jnp.int32(end), times)]


def test_due_steps_by_hand():
    assert due(8, 4) == [2, 4, 6, 8]
    assert due(10, 4) == [3, 5, 8, 10]  # the first at or after 2.5, 5, 7.5, 10
    assert due(3, 4) == [1, 2, 3]
    assert due(0, 4) == []


@pytest.mark.parametrize("end", [16, 17, 31, 32, 100])
def test_as_many_as_asked_for_whatever_the_end(end):
    steps = due(end)
    assert len(steps) == 16
    assert steps[-1] == end
    assert max(b - a for a, b in zip([0, *steps], steps, strict=False)) <= end // 16 + 1
