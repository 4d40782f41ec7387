"""Distances between features: values by hand, in NumPy, and which places count."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from methods.arrays.distances import mean, squared

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(2, 4, 3, 5)).astype(np.float32)


def test_squared_by_hand():
    """Differences 1, 2 and 3, 0: squares 1, 4 and 9, 0, means 5/2 and 9/2."""
    a, b = jnp.float32([[1, 2], [3, 4]]), jnp.float32([[0, 0], [0, 4]])
    assert squared(a, b) == 3.5
    assert squared(a, b, jnp.float32([1, 0])) == 2.5
    assert squared(a, b, jnp.float32([1, 3])) == 4  # (5 + 27) / 8


def test_squared_and_its_gradient_are_those_of_numpy():
    value, slope = jax.jit(jax.value_and_grad(squared))(A, B)
    assert_allclose(value, np.mean(np.square(np.float64(A) - B)), rtol=1e-5)
    assert_allclose(slope, 2 * (np.float64(A) - B) / A.size, rtol=1e-4)


def test_places_that_do_not_count_add_nothing():
    """[4, 3] places, of which each example has its first one or two."""
    weight = np.float32(np.arange(3) < np.array([1, 2, 1, 2])[:, None])
    value, slope = jax.value_and_grad(squared)(A, B, weight)
    assert_allclose(value, np.square(np.float64(A) - B)[weight > 0].mean(), rtol=1e-5)
    assert_allclose(slope, weight[..., None] * 2 * (np.float64(A) - B) / (6 * 5), rtol=1e-4, atol=1e-7)
    assert squared(A, B, np.zeros(4, np.float32)) == 0


@pytest.mark.parametrize("shape", [(4, 2), (2, 3), (4, 3, 5), (3,)])
def test_a_weight_of_other_places_is_left_out(shape):
    assert squared(A, B, np.zeros(shape, np.float32)) == squared(A, B)


def test_mean_of_examples_of_places_and_of_all():
    places, of_examples = A[..., 0], np.float32([1, 0, 2, 0])
    by_hand = (places[0].mean() + 2 * places[2].mean()) / 3
    assert_allclose(mean(places, of_examples), by_hand, rtol=1e-5)
    assert_allclose(mean(places, np.repeat(of_examples[:, None], 3, 1)), by_hand, rtol=1e-5)
    assert_allclose(mean(places), places.mean(), rtol=1e-5)
