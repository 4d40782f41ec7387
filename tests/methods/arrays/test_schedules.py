"""The cubic schedule by hand."""

import jax.numpy as jnp
import pytest
from numpy.testing import assert_allclose

from methods.arrays.schedules import cubic


@pytest.mark.parametrize(("step", "sparsity"), [(0, 0), (1, 0.2168), (5, 0.7), (9, 0.7992), (10, 0.8), (13, 0.8)])
def test_cubic_by_hand(step, sparsity):
    assert_allclose(cubic(jnp.int32(step), jnp.int32(10), jnp.float32(0.8)), sparsity, rtol=1e-6)


def test_cubic_is_exactly_final_from_the_end_on():
    final = jnp.float32(0.7)
    for step, end in [(0, 0), (1, 0), (10, 10), (99, 10)]:
        assert cubic(jnp.int32(step), jnp.int32(end), final) == final
