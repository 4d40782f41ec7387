"""AdaRound's loss and gradient against NumPy on the rows that enter a layer, and what it makes of layers and nets."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from methods.base import Problem
from methods.calibration.grams import Gram
from methods.flaxnet import forward, fresh
from methods.quantization.adaround import Fixed, adaround, choose, codes, loss, soft
from methods.quantization.layerwise import Piece
from methods.quantization.rtn import rtn
from methods.transforms.transform import decoded
from tests.methods.calibration.kinds import KINDS, X
from tests.methods.quantization.settled import settled

RNG = np.random.default_rng(0)
N, M, ROWS = 6, 5, 40


@pytest.fixture(scope="module")
def layer():
    """(piece of a layer on 3 bits, what enters now, what entered before), float64; a weight is 0."""
    x = RNG.normal(size=(ROWS, N)) @ RNG.normal(size=(N, N))
    before, weights = x + 0.1 * RNG.normal(size=x.shape), RNG.normal(size=(N, M))
    weights[2, 1] = 0
    gram = Gram(x.T @ x / ROWS, x.T @ before / ROWS)
    scale = np.broadcast_to(np.abs(weights).max(0) / 2.9, weights.shape)
    return Piece(weights[None], scale[None], -3, 3, Gram(gram.own[None], gram.cross[None]), ROWS), x, before


def fixed_of(piece):
    drift = (piece.gram.cross - piece.gram.own) @ piece.weights
    return Fixed(*map(jnp.float32, (piece.weights, piece.scale, piece.gram.own, drift, piece.low, piece.high)))


def paper(v, piece, x, before, penalty, beta):
    """(eq. 21 with the error of eq. 25 before the activation function, its gradient in V), float64."""
    sigmoid = 1 / (1 + np.exp(-v))
    stretched = 1.2 * sigmoid - 0.1
    up, slope = np.clip(stretched, 0, 1), np.where((stretched > 0) & (stretched < 1), 1.2 * sigmoid * (1 - sigmoid), 0)
    kept = piece.weights[0] != 0
    place = np.floor(piece.weights[0] / piece.scale[0]) + up
    rounded = piece.scale[0] * np.clip(place, -3, 3) * kept
    error = x @ rounded - before @ piece.weights[0]
    value = np.sum(error**2) / ROWS + penalty * np.sum((1 - np.abs(2 * up - 1) ** beta) * kept)
    inside = (place > -3) & (place < 3) & kept
    pull = 2 * x.T @ error / ROWS * piece.scale[0] * inside
    push = -penalty * beta * np.abs(2 * up - 1) ** (beta - 1) * np.sign(2 * up - 1) * 2 * kept
    return value, (pull + push) * slope


@pytest.mark.parametrize(("penalty", "beta"), [(0.0, 20.0), (0.01, 20.0), (0.5, 7.0), (0.01, 2.0)])
def test_loss_and_gradient_are_those_of_the_paper(layer, penalty, beta):
    piece, x, before = layer
    v, zero = RNG.normal(size=(N, M)) * 2, np.full((N, M), -9.0)
    fixed = fixed_of(piece)
    constant = paper(zero, *layer, 0.0, 2.0)[0] - float(loss(jnp.float32(zero[None]), fixed, 0.0, 2.0))
    value, gradient = jax.value_and_grad(loss)(jnp.float32(v[None]), fixed, penalty, beta)
    expected, slope = paper(v, piece, x, before, penalty, beta)
    assert_allclose(value + constant, expected, rtol=1e-5)
    assert_allclose(gradient[0], slope, rtol=1e-4, atol=1e-6)


def test_how_far_up_by_hand():
    """σ(0) = 1/2: 1.2 / 2 - 0.1; σ(ln 11) = 11/12: 1.2 · 11/12 - 0.1 = 1, and no more beyond; 1/12 gives 0."""
    assert_allclose(soft(jnp.float32([0, np.log(11), 5, -np.log(11), -5])), [0.5, 1, 1, 0, 0], atol=1e-6)


def test_codes_by_hand():
    fixed = Fixed(jnp.float32([1.2, -1.2, 2.9, 0.0, -3.5]), 1.0, None, None, -3.0, 3.0)
    assert_array_equal(codes(fixed, jnp.float32([0, 0, 0, 0, 0])), [1, -2, 2, 0, -3])
    assert_array_equal(codes(fixed, jnp.float32([1, 1, 1, 1, 1])), [2, -1, 3, 0, -3])


def test_a_layer_is_rounded_better_than_to_nearest_and_almost_as_well_as_by_all_trials(layer):
    piece, x, before = layer
    paid = []
    found = choose(2000, Problem(None, None, [], None, 0, pay=lambda *cost: paid.append(cost)), "", piece)[0]
    assert paid == [(2000, 2000 * ROWS)]
    weights, scale = piece.weights[0], piece.scale[0]
    down = np.floor(weights / scale)
    assert_array_equal(found, np.round(found))
    assert set(np.unique((found - down)[weights != 0])) <= {0, 1}
    assert found[2, 1] == 0

    def error(rounded):
        return np.sum((x @ (rounded * scale) - before @ weights) ** 2)

    nearest = np.clip(np.round(weights / scale), -3, 3)
    best = down.copy()
    for m in range(M):
        trials = [np.clip(down[:, m] + up, -3, 3) * (weights[:, m] != 0) for up in itertools.product((0, 1), repeat=N)]
        best[:, m] = min(trials, key=lambda t: np.sum((x @ (t * scale[:, m]) - before @ weights[:, m]) ** 2))
    assert error(best) <= error(found) < 0.6 * error(nearest)
    assert error(found) < 1.3 * error(best)


@pytest.mark.parametrize("name", ["recurrent", "experts", "tied"])
def test_kinds_of_nets_are_closer_to_the_dense_one_than_by_rounding_to_nearest(name):
    kind = KINDS[name]
    variables = fresh(kind.net, jax.random.key(0), X)
    batches = [{"x": X[:2]}, {"x": X[2:]}]
    run = jax.jit(lambda variables: forward(kind.net, variables, X)[0])
    errors = {}
    for method in (adaround(steps=300), rtn()):
        shipped, _, told = settled(method, kind.net, variables, batches, 3)
        errors[method] = np.mean(np.square(run(decoded(shipped.variables)) - run(variables)))
        assert told == []
    ours, nearest = errors.values()
    assert ours <= nearest
