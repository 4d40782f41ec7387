"""SR-STE: the gradient of stored weights, by its formula, and masks that follow the weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from methods.arrays.patterns import Pattern
from methods.base import Problem, Shipped
from methods.pruning.sr_ste import refined, sr_ste

W = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
DY = np.random.default_rng(1).normal(size=(8, 3)).astype(np.float32)


def by_rank(w, n, m):
    """The mask in NumPy: those of the n largest |w| of each m along the first axis."""
    ranks = np.argsort(np.argsort(np.abs(w).reshape(-1, m, w.shape[1]), axis=1), axis=1)
    return (ranks >= m - n).reshape(w.shape)


@pytest.mark.parametrize(("n", "m"), [(2, 4), (4, 8)])
def test_gradient_is_straight_through_plus_a_pull_to_zero_where_masked(n, m):
    mask = by_rank(W, n, m)
    out, pull = jax.vjp(lambda w: refined(w, jnp.float32(2e-4), (0,), Pattern(n, m)), jnp.asarray(W))
    assert_array_equal(out, np.where(mask, W, 0))
    assert_array_equal(pull(jnp.asarray(DY))[0], DY + np.float32(2e-4) * np.where(mask, np.float32(0), W))


def test_by_hand():
    w = jnp.float32([[4], [-3], [2], [-1]])
    out, pull = jax.vjp(lambda w: refined(w, jnp.float32(0.5), (0,), Pattern(2, 4)), w)
    assert_array_equal(out[:, 0], [4, -3, 0, 0])
    assert_array_equal(pull(jnp.ones((4, 1)))[0][:, 0], [1, 1, 2, 0.5])


def test_gradient_in_half_precision_keeps_its_dtype():
    out, pull = jax.vjp(lambda w: refined(w, jnp.float32(0.5), (0,), Pattern(2, 4)), jnp.bfloat16(W))
    assert out.dtype == pull(out)[0].dtype == jnp.bfloat16


@pytest.mark.filterwarnings("ignore:22 of 42 matrix weights")
def test_masked_weights_are_pulled_even_without_a_loss_and_those_that_grow_come_back(mlp):
    method, problem = sr_ste(2, 4, selector="dense2/kernel", decay=0.5), Problem(mlp.net, mlp.x[:1], (), None, 9)
    _, variables, state = method.init(jax.random.key(0), problem, mlp.variables, ())
    kernel = variables["params"]["dense2"]["kernel"]  # [4, 5]
    mask = by_rank(np.asarray(kernel), 2, 4)

    def total(params):
        return 0 * sum(leaf.sum() for leaf in jax.tree.leaves(method.view(state, {"params": params})))

    pulled = jax.grad(total)(variables["params"])
    assert_allclose(pulled["dense2"]["kernel"], 0.5 * (1 - mask) * kernel, rtol=1e-6)
    assert not np.any(pulled["head"]["kernel"])
    larger = {"params": {**variables["params"], "dense2": {**variables["params"]["dense2"], "kernel": 10 - kernel}}}
    shipped = method.export(state, Shipped(mlp.net, larger)).variables["params"]["dense2"]["kernel"]
    assert_array_equal(shipped.unpack() != 0, by_rank(10 - np.asarray(kernel), 2, 4))
