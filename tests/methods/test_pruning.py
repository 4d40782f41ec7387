"""Unstructured pruning: exact masks, the cubic schedule, and gradual pruning step by step."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from methods.arrays.pruning import cubic, keep_largest
from methods.base import Problem, Shipped
from methods.magnitude import magnitude
from methods.random import random

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


@pytest.mark.parametrize(("step", "sparsity"), [(0, 0), (1, 0.2168), (5, 0.7), (9, 0.7992), (10, 0.8), (13, 0.8)])
def test_cubic_by_hand(step, sparsity):
    assert_allclose(cubic(jnp.int32(step), jnp.int32(10), jnp.float32(0.8)), sparsity, rtol=1e-6)


def test_cubic_is_exactly_final_from_the_end_on():
    final = jnp.float32(0.7)
    for step, end in [(0, 0), (1, 0), (10, 10), (99, 10)]:
        assert cubic(jnp.int32(step), jnp.int32(end), final) == final


def params_of(weights):
    return {"layer": {"kernel": jnp.float32(weights), "bias": jnp.ones(2)}}


def started(method, weights, sparsity, steps, seed=0):
    problem = Problem(None, None, (), None, steps=steps)
    return method.init(jax.random.key(seed), problem, {"params": params_of(weights)}, (jnp.float32(sparsity),))[2]


def mask_of(state):
    return np.asarray(state.fixed["masks"]["layer/kernel"])


WEIGHTS = np.random.default_rng(1).normal(size=(40, 20, 2)).astype(np.float32)  # other weights at every step


@pytest.fixture(scope="module")
def magnitude_history():
    """[(mask, keep)] after steps 1, 2, ... of 48 recovery steps towards 0.8: renewed at 2, 4, ..., 32."""
    method = magnitude()
    update, state, history = jax.jit(method.update), started(method, WEIGHTS[0], 0.8, 48), []
    for step in range(1, 40):
        state, params, keep = update(state, params_of(WEIGHTS[step]), None, jnp.int32(step))
        assert_array_equal(params["layer"]["kernel"], WEIGHTS[step])
        history.append((mask_of(state), keep))
    return history


def test_masks_are_renewed_only_when_due(magnitude_history):
    expected = np.ones((20, 2), bool)
    for step, (mask, _) in enumerate(magnitude_history, 1):
        if step <= 32 and step % 2 == 0:
            pruned = round(0.8 * (1 - (1 - step / 32) ** 3) * 40)
            expected = np.abs(WEIGHTS[step]) > np.sort(np.abs(WEIGHTS[step]).ravel())[pruned - 1]
        assert_array_equal(mask, expected, err_msg=f"step {step}")


def test_final_sparsity_is_exact(magnitude_history):
    assert [int(mask.sum()) for mask, _ in magnitude_history[31:]] == [8] * 8


def test_keep_is_false_exactly_where_masked(magnitude_history):
    for mask, keep in magnitude_history:
        assert_array_equal(keep["layer"]["kernel"], mask)
        assert keep["layer"]["bias"].all()


def test_without_recovery_the_final_masks_are_set_at_once():
    method = magnitude()
    state = started(method, [[1, -4], [3, -2]], 0.5, steps=0)
    assert_array_equal(mask_of(state), [[False, True], [True, False]])
    after, _, _ = jax.jit(method.update)(state, params_of([[9, 9], [0, 0]]), None, jnp.int32(1))
    assert_array_equal(mask_of(after), mask_of(state))


def test_masked_weights_are_zero_and_get_no_gradient():
    method = magnitude()
    state = started(method, [[1, -4], [3, -2]], 0.5, steps=0)
    seen, pull = jax.vjp(lambda params: method.view(state, params), params_of([[1, -4], [3, -2]]))
    assert_array_equal(seen["layer"]["kernel"], [[0, -4], [3, 0]])
    (gradient,) = pull(params_of([[5, 6], [7, 8]]))
    assert_array_equal(gradient["layer"]["kernel"], [[0, 6], [7, 0]])
    assert_array_equal(gradient["layer"]["bias"], [1, 1])
    shipped = method.export(state, Shipped(None, {"params": params_of([[1, -4], [3, -2]]), "other": 1})).variables
    assert_array_equal(shipped["params"]["layer"]["kernel"], [[0, -4], [3, 0]])
    assert shipped["other"] == 1


def test_random_prunes_a_set_that_only_grows():
    method = random()
    update, state = jax.jit(method.update), started(method, WEIGHTS[0], 0.9, 48)
    counts = []
    for step in range(1, 34):
        before = mask_of(state)
        state, _, _ = update(state, params_of(WEIGHTS[step]), None, jnp.int32(step))
        assert (mask_of(state) <= before).all()
        counts.append(int(mask_of(state).sum()))
    assert counts[0] == 40
    assert counts[-1] == 40 - 36
    assert len(set(counts)) > 10


def test_random_goes_by_the_seed_and_not_by_the_weights():
    method = random()
    masks = [mask_of(started(method, WEIGHTS[i], 0.5, 0, seed)) for i, seed in ((0, 0), (1, 0), (0, 1))]
    assert_array_equal(masks[0], masks[1])
    assert (masks[0] != masks[2]).any()


def test_a_selector_that_matches_nothing_is_refused():
    with pytest.raises(ValueError, match=r"selector 'attention' matches no weight; paths are \['layer/bias', 'layer/k"):
        started(magnitude("attention"), WEIGHTS[0], 0.5, 0)
