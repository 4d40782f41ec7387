"""One training step: optimizer moments are forgotten where a method's `keep` is False, and only there."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from benchmarks.train import step
from benchmarks.train.loop import data_mesh
from methods.base import Method, State
from methods.flaxnet import fresh
from methods.paths import flatten, replace

HALF = np.arange(8) < 4  # columns of the hidden layer whose moments are kept


def forgetful(state, seen, params, grads, count):
    keep = jax.tree.map(lambda leaf: jnp.ones((), bool), params)
    return state, params, replace(keep, {"dense1/kernel": jnp.asarray(HALF)})


@pytest.fixture(scope="module")
def moments(tiny, tiny_data):
    """First moments of the hidden kernel after one and after two steps, without and with `keep`, on one batch."""
    variables, rows, seen = fresh(tiny.net, jax.random.key(0), tiny_data.train["x"][:1]), np.arange(8), {}
    for name, method in {"plain": Method(), "forgetful": Method(update=forgetful)}.items():
        spec = step.StepSpec(tiny, tiny.net, step.in_graph(method), tiny.recovery)
        advance, carry = jax.jit(step.make_step(spec, data_mesh(8))), step.start(spec, variables, State(), tiny_data.train)
        seen[name] = []
        for _ in range(2):
            carry, _ = advance(carry, tiny_data.train, rows, jax.random.key(0))
            seen[name].append(np.asarray(flatten(carry.moments[1].mu["params"])["dense1/kernel"]))
    return seen


def test_kept_moments_are_as_without_keep(moments):
    for plain, forgetful in zip(moments["plain"], moments["forgetful"], strict=True):
        assert_array_equal(forgetful[:, HALF], plain[:, HALF])


def test_a_forgotten_moment_starts_anew(moments):
    (first, second), (same, anew) = moments["plain"], moments["forgetful"]
    assert_array_equal(same, first)  # forgotten as the next step begins
    gradient = second - 0.9 * first  # (1 - β₁) times the second gradient, with β₁ = 0.9
    np.testing.assert_allclose(anew[:, ~HALF], gradient[:, ~HALF], rtol=1e-4, atol=1e-7)
    assert np.abs(0.9 * first[:, ~HALF]).max() > 1e-3
