"""IMP: which weights are left after each round, by NumPy, and to what they go back."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from methods.base import Problem, Shipped
from methods.paths import flatten, select
from methods.pruning import METHODS
from methods.pruning.imp import ROUNDS, imp, imp_open, imp_reinit

KEY = jax.random.key(7)


def other(mlp, seed):
    """The net's variables with other numbers, as training might have left them."""
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda leaf: jnp.float32(rng.normal(size=leaf.shape)), mlp.variables)


def problem(mlp, early=None):
    early = {3: other(mlp, 100), 9: other(mlp, 101)} if early is None else early
    return Problem(mlp.net, mlp.x[:1], [], lambda out, batch: jnp.mean(out), 12, born=mlp.variables, early=early)


def same(a, b):
    jax.tree.map(assert_array_equal, a, b)


def smaller(weights, masks, count):
    """The masks of the `count` largest |w| among those that are kept, over all layers at once, in NumPy."""
    sizes = {path: np.where(masks[path], np.abs(np.asarray(w)), -1.0) for path, w in weights.items()}
    edge = np.sort(np.concatenate([size.ravel() for size in sizes.values()]))[-count]
    return {path: size >= edge for path, size in sizes.items()}


def rounds(mlp, method, sparsity):
    """[(masks by NumPy, masks, variables that come back)] of each round, after which weights are other ones."""
    given = problem(mlp)
    _, _, state = method.init(KEY, given, mlp.variables, (jnp.float32(sparsity),))
    expected = {path: np.ones(w.shape, bool) for path, w in select(mlp.variables["params"]).items()}
    found = []
    for number in range(1, ROUNDS + 1):
        trained = other(mlp, number)
        left = 42 - round(42 * (1 - (1 - sparsity) ** (number / (ROUNDS - 1))))
        if number < ROUNDS:
            expected = smaller(select(trained["params"]), expected, left)
        _, variables, state = method.settle(jax.random.fold_in(KEY, number), given, trained, state, number)
        found.append((expected, state.fixed.masks, variables))
    return found, state


@pytest.mark.parametrize("sparsity", [0.5, 0.8])
@pytest.mark.parametrize("make", [imp, imp_reinit])
def test_each_round_keeps_the_largest_of_what_is_left(mlp, make, sparsity):
    """Of 42 weights; the floor of each layer, a tenth of the density, is met by these."""
    found, state = rounds(mlp, make(), sparsity)
    for expected, masks, _ in found:
        same(masks, expected)
    for (_, before, _), (_, after, _) in pairwise(found):
        assert all(np.all(np.asarray(before[path]) >= after[path]) for path in before)
    shipped = make().export(state, Shipped(mlp.net, found[-1][-1]))
    kept = sum(np.count_nonzero(w) for w in select(shipped.variables["params"]).values())
    assert kept == 42 - round(42 * sparsity)


def test_weights_go_back_to_the_latest_early_ones_and_stay_after_the_last_round(mlp):
    found, _ = rounds(mlp, imp(), 0.8)
    for _, _, variables in found[:-1]:
        same(variables, problem(mlp).early[9])
    same(found[-1][-1], other(mlp, ROUNDS))


def test_without_early_weights_they_go_back_to_birth(mlp):
    given = problem(mlp, early={})
    _, _, state = imp().init(KEY, given, mlp.variables, (jnp.float32(0.5),))
    same(imp().settle(KEY, given, other(mlp, 1), state, 1)[1], mlp.variables)


def test_the_control_has_the_same_masks_and_draws_weights_anew_before_the_last_round(mlp):
    found, again = rounds(mlp, imp(), 0.8)[0], rounds(mlp, imp_reinit(), 0.8)[0]
    for (_, masks, _), (_, same_masks, _) in zip(found, again, strict=True):
        same(masks, same_masks)
    *earlier, before_last, _ = again
    for _, _, variables in earlier:
        same(variables, problem(mlp).early[9])
    drawn, known = flatten(before_last[-1]["params"]), (mlp.variables, *problem(mlp).early.values())
    for path in select(mlp.variables["params"]):
        assert 0 < np.std(drawn[path]) < 1
        assert not any(np.array_equal(drawn[path], flatten(v["params"])[path]) for v in known)


def test_an_open_round_prunes_where_the_one_before_ended_and_goes_back(mlp):
    method, given, expected = imp_open(), problem(mlp), None
    weights = mlp.variables
    for sparsity in (0.5, 0.8):
        masks = expected or {path: np.ones(w.shape, bool) for path, w in select(weights["params"]).items()}
        expected = smaller(select(weights["params"]), masks, 42 - round(42 * sparsity))
        _, variables, state = method.init(KEY, given, weights, (jnp.float32(sparsity),))
        same(state.fixed.masks, expected)
        same(variables, given.early[9])
        _, settled, state = method.settle(KEY, given, other(mlp, 5), state, 1)
        same(settled, other(mlp, 5))
        weights = method.export(state, Shipped(mlp.net, settled)).variables  # zeros where masked


def test_where_an_open_round_prunes_nothing_it_goes_on(mlp):
    _, variables, state = imp_open().init(KEY, problem(mlp), mlp.variables, (jnp.float32(0),))
    same(variables, mlp.variables)
    assert all(np.all(mask) for mask in state.fixed.masks.values())


def test_rows():
    assert METHODS["imp"].about.control == "imp@reinit"
    assert METHODS["imp"].about.rounds == METHODS["imp@reinit"].about.rounds == ROUNDS
    assert (METHODS["imp@open"].about.rounds, METHODS["imp@open"].about.nested) == (1, True)
