"""RigL step by step against plain NumPy, from the paper's algorithm 1, and by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from methods.arrays.allocation import allocate
from methods.arrays.masks import rewired
from methods.arrays.schedules import half_cosine
from methods.base import Problem
from methods.pruning.rigl import RENEWALS, rigl

SHAPES = {"a": (20, 15), "b": (3, 3, 4, 6), "c": (15, 4)}
STEPS = 60
END = 45  # of which 32 are due


def tree(rng):
    return {
        name: {"kernel": jnp.float32(rng.normal(size=shape)), "bias": jnp.ones(3)} for name, shape in SHAPES.items()
    }


@pytest.fixture(scope="module")
def history():
    """[(step, params that come in, gradients, masks before, masks after, params that come out, keep)] at 0.8."""
    method, rng = rigl(), np.random.default_rng(0)
    update, params, seen = jax.jit(method.update), tree(rng), []
    problem = Problem(None, None, (), None, STEPS)
    _, _, state = method.init(jax.random.key(0), problem, {"params": params}, (jnp.float32(0.8),))
    for step in range(1, STEPS + 1):
        params, grads, before = tree(rng), tree(rng), state.fixed.masks
        state, out, keep = update(state, None, params, grads, jnp.int32(step))
        seen.append((step, params, grads, before, state.fixed.masks, out, keep))
    return seen


def by_the_paper(mask, weight, slope, fraction):
    """One layer of algorithm 1: drops the smallest, grows the largest gradients among all that are not kept by then."""
    mask, weight, slope = (np.asarray(each).ravel() for each in (mask, weight, slope))
    active = np.flatnonzero(mask)
    moved = int(np.float32(fraction) * len(active))
    dropped = active[np.argsort(np.abs(weight[active]), kind="stable")[:moved]]
    stay = np.setdiff1d(active, dropped)
    free = np.setdiff1d(np.arange(mask.size), stay)
    grown = free[np.argsort(-np.abs(slope[free]), kind="stable")[:moved]]
    new = np.zeros(mask.size, bool)
    new[np.concatenate([stay, grown])] = True
    return new


def test_masks_are_those_of_the_paper(history):
    rewirings = 0
    for step, params, grads, before, after, _, _ in history:
        due = step < END and step * RENEWALS // END > (step - 1) * RENEWALS // END
        rewirings += due
        fraction = 0.3 / 2 * (1 + np.cos(np.pi * step / END)) if due else 0
        for name, shape in SHAPES.items():
            path = f"{name}/kernel"
            expected = by_the_paper(before[path], params[name]["kernel"], grads[name]["kernel"], fraction)
            assert_array_equal(after[path], expected.reshape(shape), err_msg=f"{path}, step {step}")
    assert rewirings == RENEWALS - 1  # at T_end itself nothing moves
    assert any((history[0][3][path] != history[-1][4][path]).any() for path in history[0][3])


def test_each_layer_stays_as_sparse_as_erk_makes_it(history):
    counts = allocate({f"{name}/kernel": shape for name, shape in SHAPES.items()}, 0.8, "erk").least
    assert sum(map(int, counts.values())) == 576 - 461  # round(0.8 · 576) are pruned
    for _, _, _, before, after, _, _ in history:
        for path, count in counts.items():
            assert before[path].sum() == after[path].sum() == count


def test_grown_weights_start_at_zero_and_all_others_are_left(history):
    for _, params, _, before, after, out, keep in history:
        for name in SHAPES:
            path = f"{name}/kernel"
            grown = np.asarray(after[path]) & ~np.asarray(before[path])
            assert_array_equal(out[name]["kernel"], np.where(grown, 0, params[name]["kernel"]))
            assert_array_equal(out[name]["bias"], params[name]["bias"])
            assert_array_equal(keep[name]["kernel"], after[path])
            assert keep[name]["bias"].all()


def test_rewired_by_hand():
    mask = jnp.array([True, True, False, True, False, True])
    drop, grow = jnp.float32([4, 1, 9, 3, 9, 2]), jnp.float32([9, 1, 5, 9, 2, 0])
    assert_array_equal(rewired(mask, drop, grow, 0.5), [True, False, True, True, True, False])
    assert_array_equal(rewired(mask, drop, grow, 0.49), [True, False, True, True, False, True])
    back = jnp.float32([0, 7, 5, 0, 2, 0])  # what has just been dropped comes back where its gradient is largest
    assert_array_equal(rewired(mask, drop, back, 0.49), mask)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("kept", [0, 1, 12])
def test_as_many_are_kept_whatever_the_share(kept, share):
    scores = jnp.arange(12.0)
    assert rewired(scores < kept, scores, -scores, share).sum() == kept


def test_half_cosine_by_hand():
    found = [half_cosine(step, jnp.int32(12)) for step in (0, 4, 6, 8, 12, 13)]
    assert_allclose(found, [1, 0.75, 0.5, 0.25, 0, 0], atol=1e-7)
