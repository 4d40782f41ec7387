"""Gradual pruning step by step: by magnitude, and at random with the counts of another run."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from methods.base import Fallback, OptionError, Problem, Shipped
from methods.pruning.magnitude import magnitude
from methods.pruning.random_weights import random

LENET300 = {"dense1": (784, 300), "dense2": (300, 100), "head": (100, 10)}


def params_of(weights):
    return {"layer": {"kernel": jnp.float32(weights), "bias": jnp.ones(2)}}


def started(method, params, sparsity, steps, seed=0, copied=None):
    problem = Problem(None, None, (), None, steps=steps, copied=copied)
    return method.init(jax.random.key(seed), problem, {"params": params}, (jnp.float32(sparsity),))[2]


def mask_of(state, path="layer/kernel"):
    return np.asarray(state.fixed.masks[path])


WEIGHTS = np.random.default_rng(1).normal(size=(40, 20, 2)).astype(np.float32)  # other weights at every step


@pytest.fixture(scope="module")
def magnitude_history():
    """[(mask, keep)] after steps 1, 2, ... of 48 recovery steps towards 0.8: renewed at 2, 4, ..., 32."""
    method = magnitude()
    update, state, history = jax.jit(method.update), started(method, params_of(WEIGHTS[0]), 0.8, 48), []
    for step in range(1, 40):
        state, params, keep = update(state, None, params_of(WEIGHTS[step]), None, jnp.int32(step))
        assert_array_equal(params["layer"]["kernel"], WEIGHTS[step])
        history.append((mask_of(state), keep))
    return history


def test_masks_are_renewed_only_when_due(magnitude_history):
    expected = np.ones((20, 2), bool)
    for step, (mask, _) in enumerate(magnitude_history, 1):
        if step <= 32 and step % 2 == 0:
            pruned = round((1 - (1 - step / 32) ** 3) * 32)
            expected = np.abs(WEIGHTS[step]) > np.sort(np.abs(WEIGHTS[step]).ravel())[pruned - 1]
        assert_array_equal(mask, expected, err_msg=f"step {step}")


def test_masks_are_renewed_sixteen_times_where_the_end_is_no_multiple_of_sixteen():
    method = magnitude()
    update, state, renewed = jax.jit(method.update), started(method, params_of(WEIGHTS[0]), 0.8, 60), []
    for step in range(1, 60):
        before, params = mask_of(state), params_of(WEIGHTS[step % 40])
        state, _, _ = update(state, None, params, None, jnp.int32(step))
        renewed += [step] if (mask_of(state) != before).any() else []
    assert renewed == [3, 5, 8, 10, 13, 15, 18, 20, 23, 25, 28, 30, 33, 35, 38, 40]


def test_final_sparsity_is_exact(magnitude_history):
    assert [int(mask.sum()) for mask, _ in magnitude_history[31:]] == [8] * 8


def test_keep_is_false_exactly_where_masked(magnitude_history):
    for mask, keep in magnitude_history:
        assert_array_equal(keep["layer"]["kernel"], mask)
        assert keep["layer"]["bias"].all()


def test_without_recovery_the_final_masks_are_set_at_once():
    method = magnitude()
    state = started(method, params_of([[1, -4], [3, -2]]), 0.5, steps=0)
    assert_array_equal(mask_of(state), [[False, True], [True, False]])
    after, _, _ = jax.jit(method.update)(state, None, params_of([[9, 9], [0, 0]]), None, jnp.int32(1))
    assert_array_equal(mask_of(after), mask_of(state))


def test_masked_weights_are_zero_and_get_no_gradient():
    method = magnitude()
    state = started(method, params_of([[1, -4], [3, -2]]), 0.5, steps=0)
    seen, pull = jax.vjp(lambda params: method.view(state, {"params": params})["params"], params_of([[1, -4], [3, -2]]))
    assert_array_equal(seen["layer"]["kernel"], [[0, -4], [3, 0]])
    (gradient,) = pull(params_of([[5, 6], [7, 8]]))
    assert_array_equal(gradient["layer"]["kernel"], [[0, 6], [7, 0]])
    assert_array_equal(gradient["layer"]["bias"], [1, 1])
    shipped = method.export(state, Shipped(None, {"params": params_of([[1, -4], [3, -2]]), "other": 1})).variables
    assert_array_equal(shipped["params"]["layer"]["kernel"], [[0, -4], [3, 0]])
    assert shipped["other"] == 1


def lenet300(scales):
    """Weights in the shapes of LeNet-300-100, each layer normal times its scale."""
    rng = np.random.default_rng(2)
    return {
        layer: {"kernel": jnp.float32(scale * rng.normal(size=shape))}
        for (layer, shape), scale in zip(LENET300.items(), scales, strict=True)
    }


def kept(state):
    return {layer: int(mask_of(state, f"{layer}/kernel").sum()) for layer in LENET300}


def test_scores_of_all_layers_are_compared_but_none_collapses():
    """By 0.98 of 266200 weights, 5324 are left; a head of small weights keeps 2 of 1000, a tenth of the density."""
    params = lenet300((1.0, 1.0, 1e-3))
    counts = kept(started(magnitude(), params, 0.98, 0))
    assert counts["head"] == 2
    assert sum(counts.values()) == 5324
    flat = np.sort(np.concatenate([np.abs(params[layer]["kernel"]).ravel() for layer in ("dense1", "dense2")]))
    for layer in ("dense1", "dense2"):
        assert counts[layer] == (np.abs(params[layer]["kernel"]) >= flat[-5322]).sum()


@pytest.mark.parametrize(
    ("allocation", "counts"),
    [
        ("uniform", {"dense1": 4704, "dense2": 600, "head": 20}),
        ("erk", {"dense1": 3621, "dense2": 1336, "head": 367}),  # 5324 · 1084, 400, 110 of 1594
    ],
)
def test_counts_of_other_allocations(allocation, counts):
    assert kept(started(magnitude(allocation=allocation), lenet300((1.0, 1.0, 1e-3)), 0.98, 0)) == counts


@pytest.mark.parametrize("allocation", ["global", "uniform", "erk"])
def test_sparsities_zero_and_one_are_exact(allocation):
    method = magnitude(allocation=allocation)
    update = jax.jit(method.update)
    for sparsity, share in ((0, 1), (1, 0)):
        for steps in (0, 3):
            state = started(method, lenet300((1, 1, 1)), sparsity, steps)
            for step in range(1, steps + 1):
                state, _, _ = update(state, None, lenet300((1, 1, 1)), None, jnp.int32(step))
            assert kept(state) == {layer: share * np.prod(shape) for layer, shape in LENET300.items()}


def test_an_unknown_allocation_is_refused():
    with pytest.raises(OptionError, match=r"^allocation 'local' is none of global, uniform, erk$"):
        started(magnitude(allocation="local"), params_of(WEIGHTS[0]), 0.5, 0)


def test_fewer_weights_than_layers_are_told():
    params = {name: {"kernel": jnp.arange(10.0)} for name in "abcd"}
    with pytest.warns(Fallback, match="^2 of 40 weights are kept in 4 layers: 2 or more keep none$"):
        state = started(magnitude(), params, 0.95, 0)
    assert sum(mask.sum() for mask in state.fixed.masks.values()) == 2


def test_random_keeps_the_counts_that_it_copies():
    copied = {"dense1/kernel": 5000, "dense2/kernel": 0, "head/kernel": 1000, "dense1/bias": 300}
    state = started(random(), lenet300((1, 1, 1)), 0.98, 0, copied=copied)
    assert kept(state) == {"dense1": 5000, "dense2": 0, "head": 1000}


def test_random_prunes_a_set_that_only_grows_in_proportion():
    method, copied = random(), {"a/kernel": 100, "b/kernel": 20}
    params = {"a": {"kernel": jnp.ones((20, 20))}, "b": {"kernel": jnp.ones((2, 10))}}
    update, state = jax.jit(method.update), started(method, params, 0.9, 48, copied=copied)
    for step in range(1, 34):
        before = mask_of(state, "a/kernel")
        state, _, _ = update(state, None, params, None, jnp.int32(step))
        now, due = mask_of(state, "a/kernel"), 2 * (step // 2)
        assert (now <= before).all()
        assert now.sum() == 400 - round(300 * (1 - (1 - min(due, 32) / 32) ** 3))
        assert mask_of(state, "b/kernel").all()


def test_random_goes_by_the_seed_and_not_by_the_weights():
    def mask(weights, seed):
        return mask_of(started(random(), params_of(weights), 0.5, 0, seed, {"layer/kernel": 20}))

    assert_array_equal(mask(WEIGHTS[0], 0), mask(WEIGHTS[1], 0))
    assert (mask(WEIGHTS[0], 0) != mask(WEIGHTS[0], 1)).any()


def test_random_without_counts_or_with_those_of_another_net_is_refused():
    with pytest.raises(ValueError, match=r"^random pruning copies the counts of a finished run, and none was given"):
        started(random(), params_of(WEIGHTS[0]), 0.5, 0)
    with pytest.raises(ValueError, match=r"^layer/kernel keeps 41 weights; it must be a number from 0 to 40$"):
        started(random(), params_of(WEIGHTS[0]), 0.5, 0, copied={"layer/kernel": 41})


def test_a_selector_that_matches_nothing_is_refused():
    with pytest.raises(ValueError, match=r"selector 'attention' matches no weight; paths are \['layer/bias', 'layer/k"):
        started(magnitude("attention"), params_of(WEIGHTS[0]), 0.5, 0)
