"""Damped Hessians and their factors, against NumPy's inverse."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from methods.arrays.hessian import eliminations

RNG = np.random.default_rng(0)


def grams(groups, n):
    x = RNG.normal(size=(groups, 3 * n, n))
    return x.swapaxes(1, 2) @ x


def test_the_factor_gives_the_inverse_of_the_damped_hessian():
    gram = grams(2, 7)
    u, damping = eliminations(gram, 0.01)
    assert damping == 0.01
    assert_array_equal(u, np.triu(u))
    for h, factor in zip(gram, u, strict=True):
        assert_allclose(factor.T @ factor, np.linalg.inv(h + 0.01 * np.mean(np.diag(h)) * np.eye(7)), rtol=1e-9)


def test_by_hand():
    """H = [[1, 1], [1, 2]] without damping: H⁻¹ = [[2, -1], [-1, 1]] = UᵀU."""
    u, _ = eliminations(np.array([[[1.0, 1.0], [1.0, 2.0]]]), 0.0)
    assert_allclose(u[0], [[np.sqrt(2), -np.sqrt(0.5)], [0, np.sqrt(0.5)]])


def test_an_input_that_is_always_0_is_set_apart():
    gram = grams(1, 5)
    gram[:, 2], gram[:, :, 2] = 0, 0
    (u,), _ = eliminations(gram, 0.01)
    assert_array_equal(u[2], np.eye(5)[2])
    assert_array_equal(u[:, 2], np.eye(5)[2])
    others = np.array([0, 1, 3, 4])
    h = gram[0][np.ix_(others, others)] + 0.01 * np.mean(np.diag(gram[0])) * np.eye(4)
    assert_allclose(u[np.ix_(others, others)].T @ u[np.ix_(others, others)], np.linalg.inv(h), rtol=1e-9)


def test_damping_grows_until_the_hessian_is_positive_definite():
    """[[1, 3], [3, 1]] has eigenvalues 4 and -2: 0.01, 0.1 and 1 are too little."""
    u, damping = eliminations(np.array([[[1.0, 3.0], [3.0, 1.0]]]), 0.01)
    assert damping == pytest.approx(10)
    assert_allclose(u[0].T @ u[0], np.linalg.inv([[11.0, 3.0], [3.0, 11.0]]))


def test_damping_does_not_grow_for_ever():
    with pytest.raises(np.linalg.LinAlgError):
        eliminations(np.array([[[1.0, 300.0], [300.0, 1.0]]]), 0.01)
