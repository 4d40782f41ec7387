"""Optimizers by hand: where weight decay comes in, what it and clipping leave alone, and what frozen weights do."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from benchmarks.train.optimizers import optimizer, schedule, update
from tasks.base import Recipe

SGD = Recipe(steps=4, batch_size=1, learning_rate=0.1, optimizer="sgd", weight_decay=0.5)


def leaves(weight, bias=1.0, train=()):
    return {"params": {"kernel": jnp.full((1, 2), weight), "bias": jnp.full(2, bias)}, "train": train}


def steps(recipe, start, grads, keep=None):
    """Leaves after each of some steps."""
    tx, found = optimizer(recipe), []
    moments = tx.init(start)
    for grad in grads:
        start, moments = update(tx, moments, start, grad, keep, 1.0)
        found.append(start)
    return found


def test_the_rate_by_step():
    rate = schedule(Recipe(steps=6, batch_size=1, learning_rate=0.8, warmup=2))
    assert_allclose([rate(step) for step in range(7)], [0, 0.4, 0.8, 0.682843, 0.4, 0.117157, 0], atol=1e-6)


def test_sgd_decays_before_the_momentum():
    """The gradient is 0.5 · w; m₁ = g₁, w₁ = 1 - 0.1 · (g₁ + 0.9 · m₁); m₂ = 0.9 · m₁ + g₂, and so on."""
    first, second = steps(SGD, leaves(1.0), [leaves(0.0, 0.0)] * 2)
    rate = 0.1 * (1 + np.cos(np.pi / 4)) / 2  # a quarter of the cosine
    w1 = 1 - 0.1 * 1.9 * 0.5
    g2 = 0.5 * w1
    w2 = w1 - rate * (g2 + 0.9 * (0.9 * 0.5 + g2))
    assert w1 == 0.905
    assert_allclose(first["params"]["kernel"], [[0.905, 0.905]], rtol=1e-6)
    assert_allclose(second["params"]["kernel"], [[w2, w2]], rtol=1e-6)
    assert_array_equal(second["params"]["bias"], [1, 1])  # of one axis: it does not decay


def test_sgd_decays_to_the_coupled_limit():
    """1,000 steps without a gradient, rate 0.1 along a cosine, decay 1e-4: Σ rate · decay / (1 - momentum) = 0.05."""
    recipe = Recipe(steps=1000, batch_size=1, learning_rate=0.1, optimizer="sgd", weight_decay=1e-4)
    last = steps(recipe, leaves(1.0), [leaves(0.0, 0.0)] * 1000)[-1]
    assert_allclose(last["params"]["kernel"], np.full((1, 2), 0.95192), atol=2e-5)


def test_adamw_decays_beside_its_steps():
    """Its first step is rate · sign(g); the decay is rate · 0.5 · w."""
    recipe = Recipe(steps=4, batch_size=1, learning_rate=0.1, weight_decay=0.5)
    (found,) = steps(recipe, leaves(2.0), [leaves(3.0, -3.0)])
    assert_allclose(found["params"]["kernel"], np.full((1, 2), 2 - 0.1 - 0.1 * 0.5 * 2), rtol=1e-6)
    assert_allclose(found["params"]["bias"], [1.1, 1.1], rtol=1e-6)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_what_a_method_owns_does_not_decay(name):
    recipe = Recipe(steps=4, batch_size=1, learning_rate=0.1, optimizer=name, weight_decay=0.5)
    train = {"steps": jnp.ones((1, 2)), "scores": jnp.ones((2, 2))}
    (found,) = steps(recipe, leaves(1.0, train=train), [leaves(0.0, 0.0, {k: 0 * v for k, v in train.items()})])
    assert_array_equal(found["train"]["steps"], train["steps"])
    assert_array_equal(found["train"]["scores"], train["scores"])
    assert (np.asarray(found["params"]["kernel"]) < 1).all()


def test_clipping_is_of_the_weights_alone():
    """A gradient of norm 10 is clipped to 1, whatever the method's own, which stays as it is: 1,000."""
    recipe = Recipe(steps=4, batch_size=1, learning_rate=0.1, optimizer="sgd", clip=1.0)
    grads = {"params": {"kernel": jnp.array([[6.0, 8.0]]), "bias": jnp.zeros(2)}, "train": jnp.array(1000.0)}
    (found,) = steps(recipe, leaves(0.0, train=jnp.array(0.0)), [grads])
    assert_allclose(found["params"]["kernel"], [[-0.19 * 0.6, -0.19 * 0.8]], rtol=1e-6)
    assert_allclose(found["train"], -190, rtol=1e-6)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_frozen_weights_neither_decay_nor_coast(name):
    """The second column is frozen after the first step: it stays as it was, while the first goes on."""
    recipe = Recipe(steps=4, batch_size=1, learning_rate=0.1, optimizer=name, weight_decay=0.5)
    keep = {"kernel": jnp.array([[True, False]]), "bias": jnp.array(True)}
    tx = optimizer(recipe)
    first, moments = update(tx, tx.init(leaves(1.0)), leaves(1.0), leaves(1.0), None, 1.0)
    second, _ = update(tx, moments, first, leaves(0.0), keep, 1.0)
    before, after = (np.asarray(found["params"]["kernel"])[0] for found in (first, second))
    assert after[1] == before[1] < 1
    assert after[0] < before[0]


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_a_rate_is_a_factor_on_the_learning_rate(name):
    recipe = Recipe(steps=4, batch_size=1, learning_rate=0.1, optimizer=name, weight_decay=0.5)
    half, tx = dataclasses.replace(recipe, learning_rate=0.05), optimizer(recipe)
    expected = steps(half, leaves(1.0), [leaves(2.0), leaves(-1.0)])[-1]
    found, moments = leaves(1.0), tx.init(leaves(1.0))
    for grad in (leaves(2.0), leaves(-1.0)):
        found, moments = update(tx, moments, found, grad, None, 0.5)
    assert_allclose(found["params"]["kernel"], expected["params"]["kernel"], rtol=1e-6)


def test_an_unknown_optimizer_is_named():
    with pytest.raises(ValueError, match="optimizer is 'adam'; it must be 'adamw' or 'sgd'"):
        optimizer(Recipe(steps=4, batch_size=1, learning_rate=0.1, optimizer="adam"))
