"""Exact masks at any sparsity."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from methods.arrays.masks import keep_largest

masked = jax.jit(keep_largest)
SPARSITIES = (0.0, 0.1, 0.25, 0.33, 0.5, 0.7, 0.9, 0.95, 0.98, 1.0)


@pytest.mark.parametrize("shape", [(1,), (7,), (12, 9), (3, 3, 4, 4)])
def test_keeps_exactly_the_largest_at_a_traced_sparsity(shape):
    size = np.prod(shape)
    scores = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    for sparsity in SPARSITIES:
        mask = np.asarray(masked(scores, jnp.float32(sparsity)))
        assert mask.sum() == size - round(sparsity * size), sparsity  # both round halves to even
        assert scores[mask].min(initial=np.inf) > scores[~mask].max(initial=-np.inf)
        ties = np.asarray(masked(np.ones(shape, np.float32), jnp.float32(sparsity)))
        assert ties.sum() == mask.sum()


def test_keep_largest_by_hand():
    assert_array_equal(masked(jnp.float32([[3, 1], [-5, 2]]), 0.5), [[True, False], [False, True]])
    assert_array_equal(masked(jnp.float32([1, 1, 1, 1, 0]), 0.6), [False, False, True, True, False])
    assert_array_equal(masked(jnp.float32([0.0, -0.0, 0.0, -1, 1e-30]), 0.4), [False, True, True, False, True])
