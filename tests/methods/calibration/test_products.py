"""Products seen as matrix products: what is multiplied so is what the net computes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from methods.calibration.products import product_of

RNG = np.random.default_rng(0)


def numbers(*shape):
    return jnp.asarray(RNG.normal(size=shape), jnp.float32)


def product(function, x, w, weight=1):
    """(how the only equation of function(x, w) multiplies, its output)."""
    (eqn,) = jax.make_jaxpr(function)(x, w).eqns
    return product_of(eqn, weight), function(x, w)


def multiplied(how, x, w):
    """[G, R, m], in NumPy."""
    return np.einsum("grn,gnm->grm", np.asarray(how.rows(x)), np.asarray(how.matrix(w)))


def test_a_dense_layer():
    x, w = numbers(2, 3, 4), numbers(4, 5)
    how, out = product(lambda x, w: jax.lax.dot_general(x, w, (((2,), (0,)), ((), ()))), x, w)
    assert_allclose(multiplied(how, x, w), np.asarray(out).reshape(1, 6, 5), rtol=1e-5, atol=1e-6)


def test_a_weight_on_the_left_that_is_transposed():
    x, w = numbers(6, 4), numbers(5, 4)
    how, out = product(lambda x, w: jax.lax.dot_general(w, x, (((1,), (1,)), ((), ()))), x, w, weight=0)
    assert_allclose(multiplied(how, x, w)[0], np.asarray(out).T, rtol=1e-5, atol=1e-6)


def test_heads_that_are_summed_over():
    x, w = numbers(2, 3, 4, 5), numbers(4, 5, 6)
    how, out = product(lambda x, w: jax.lax.dot_general(x, w, (((2, 3), (0, 1)), ((), ()))), x, w)
    assert_allclose(multiplied(how, x, w), np.asarray(out).reshape(1, 6, 6), rtol=1e-5, atol=1e-6)


def test_experts_are_groups():
    x, w = numbers(3, 7, 4), numbers(3, 4, 5)
    how, out = product(lambda x, w: jax.lax.dot_general(x, w, (((2,), (1,)), ((0,), (0,)))), x, w)
    assert how.rows(x).shape == (3, 7, 4)
    assert_allclose(multiplied(how, x, w), out, rtol=1e-5, atol=1e-6)


LAYOUTS = {1: ("NWC", "WIO", "NWC"), 2: ("NHWC", "HWIO", "NHWC")}
CONVOLUTIONS = {  # (space, kernel, channels, outputs, options)
    "1d": ((9,), (3,), 4, 5, {"padding": [(1, 1)]}),
    "strides": ((9, 8), (3, 2), 4, 5, {"window_strides": (2, 3)}),
    "padding": ((5, 6), (3, 3), 2, 5, {"padding": [(2, 0), (1, 3)]}),
    "cropped": ((7, 6), (3, 3), 2, 5, {"padding": [(-1, 0), (1, -1)]}),
    "dilated": ((9, 9), (3, 2), 2, 5, {"rhs_dilation": (2, 3)}),
    "transposed": ((4, 5), (3, 3), 2, 5, {"lhs_dilation": (2, 3), "padding": [(2, 1), (1, 2)]}),
    "grouped": ((5, 6), (3, 3), 4, 6, {"feature_group_count": 2}),
    "depthwise": ((5, 6), (3, 3), 4, 8, {"feature_group_count": 4, "window_strides": (2, 2)}),
    "pointwise": ((5, 6), (1, 1), 4, 6, {}),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_convolution_multiplies_patches(name):
    space, kernel, channels, outputs, options = CONVOLUTIONS[name]
    groups = options.get("feature_group_count", 1)
    x, w = numbers(2, *space, channels), numbers(*kernel, channels // groups, outputs)
    given = {"window_strides": (1,) * len(space), "padding": [(0, 0)] * len(space)} | options
    how, out = product(
        lambda x, w: jax.lax.conv_general_dilated(x, w, dimension_numbers=LAYOUTS[len(space)], **given), x, w
    )
    assert how.matrix(w).shape == (groups, channels // groups * np.prod(kernel), outputs // groups)
    by_group = np.asarray(out).reshape(-1, groups, outputs // groups).swapaxes(0, 1)
    assert_allclose(multiplied(how, x, w), by_group, rtol=1e-4, atol=1e-5)


def test_what_is_no_product_with_a_kernel():
    x, w = numbers(2, 5, 6, 3), numbers(3, 3, 3, 4)
    convolve = lambda x, w: jax.lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=LAYOUTS[2])  # noqa: E731
    assert product(convolve, x, w, weight=0)[0] is None
    assert product(jnp.multiply, numbers(3), numbers(3))[0] is None
