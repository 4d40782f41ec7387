"""Gradual pruning step by step, by magnitude and at random."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from methods.base import Problem, Shipped
from methods.pruning.magnitude import magnitude
from methods.pruning.random_order import random


def params_of(weights):
    return {"layer": {"kernel": jnp.float32(weights), "bias": jnp.ones(2)}}


def started(method, weights, sparsity, steps, seed=0):
    problem = Problem(None, None, (), None, steps=steps)
    return method.init(jax.random.key(seed), problem, {"params": params_of(weights)}, (jnp.float32(sparsity),))[2]


def mask_of(state):
    return np.asarray(state.fixed.masks["layer/kernel"])


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
