"""Exact masks for any counts, of one layer and of all together, against sorting in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from methods.arrays.allocation import Allocation, allocate
from methods.arrays.masks import keep_largest, masks

largest, masked = jax.jit(keep_largest), jax.jit(masks)
SHARES = (0.0, 0.1, 0.25, 0.33, 0.5, 0.7, 0.9, 0.95, 0.98, 1.0)
SHAPES = {"b": (12, 9), "a": (7,), "c/kernel": (3, 3, 4, 4), "d": (300, 2)}


@pytest.mark.parametrize("shape", [(1,), (7,), (12, 9), (3, 3, 4, 4)])
def test_keeps_exactly_the_largest_of_a_layer_at_a_traced_count(shape):
    size = np.prod(shape)
    scores = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    for kept in {round(share * size) for share in SHARES}:
        mask = np.asarray(largest(scores, jnp.int32(kept)))
        assert mask.sum() == kept
        assert scores[mask].min(initial=np.inf) > scores[~mask].max(initial=-np.inf)
        assert np.asarray(largest(np.ones(shape, np.float32), jnp.int32(kept))).sum() == kept


def test_keep_largest_by_hand():
    assert_array_equal(largest(jnp.float32([[3, 1], [-5, 2]]), 2), [[True, False], [False, True]])
    assert_array_equal(largest(jnp.float32([1, 1, 1, 1, 0]), 2), [False, False, True, True, False])
    assert_array_equal(largest(jnp.float32([0.0, -0.0, 0.0, -1, 1e-30]), 3), [False, True, True, False, True])


def by_sorting(scores, kept):
    """The same by stable sorts in float64: first each layer's least, then the largest of the others."""
    own = {}
    for path in sorted(scores):
        order = np.argsort(scores[path].ravel(), kind="stable")
        own[path] = np.zeros(scores[path].size, bool)
        own[path][order[scores[path].size - int(kept.least[path]) :]] = True
    flat = np.concatenate([np.where(own[p], np.inf, scores[p].ravel().astype(np.float64)) for p in sorted(scores)])
    order = np.argsort(flat, kind="stable")
    mask = np.zeros(flat.size, bool)
    mask[order[flat.size - int(kept.rest) - sum(map(int, kept.least.values())) :]] = True
    pieces = np.split(mask, np.cumsum([scores[p].size for p in sorted(scores)])[:-1])
    return {p: piece.reshape(scores[p].shape) for p, piece in zip(sorted(scores), pieces, strict=True)}


@pytest.mark.parametrize("kind", ["normal", "small integers", "layers of other sizes", "constant"])
@pytest.mark.parametrize("rule", ["global", "uniform", "erk"])
def test_masks_are_those_of_sorting(rule, kind):
    rng = np.random.default_rng(1)
    scores = {path: rng.normal(size=shape).astype(np.float32) for path, shape in SHAPES.items()}
    if kind == "small integers":
        scores = {path: np.round(2 * score) for path, score in scores.items()}
    if kind == "layers of other sizes":
        scores = {path: score * np.float32(10.0**i) for i, (path, score) in enumerate(scores.items())}
    if kind == "constant":
        scores = {path: np.zeros_like(score) for path, score in scores.items()}
    for sparsity in SHARES:
        kept = allocate(SHAPES, sparsity, rule)
        found, expected = masked(scores, kept), by_sorting(scores, kept)
        for path, mask in expected.items():
            assert_array_equal(found[path], mask, err_msg=f"{path} at {sparsity}")


def test_a_layer_of_small_scores_keeps_its_least_and_the_rest_goes_to_the_others():
    scores = {"large": jnp.arange(10.0, 20.0), "small": jnp.arange(10.0) / 10}
    found = masked(scores, Allocation({"large": jnp.int32(1), "small": jnp.int32(2)}, jnp.int32(5)))
    assert_array_equal(found["large"], np.arange(10) >= 4)
    assert_array_equal(found["small"], np.arange(10) >= 8)
