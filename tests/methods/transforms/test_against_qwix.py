"""Our grids against Qwix, an independent implementation.

Qwix ends a symmetric grid half a step past its last code (scale = max|x| / 127.5 at 8 bits), we on it (max|x| / 127).
Its calibration factor makes the two equal; or our grid is given its scale.
"""

import jax.numpy as jnp
import numpy as np
import pytest
import qwix
from numpy.testing import assert_allclose, assert_array_equal

from methods.transforms.grids import Quantizer, affine, code_range, encode, fake_quant, symmetric

X = np.float32(np.random.default_rng(0).normal(size=(64, 8)) * np.logspace(-3, 3, 8))
signed = pytest.mark.parametrize(("kind", "bits"), [(jnp.int8, 8), (jnp.int4, 4), ("int2", 2)])


@signed
def test_symmetric_grid_is_that_of_qwix(kind, bits):
    last = 2 ** (bits - 1) - 1
    ours = symmetric(X, bits, (-1,))
    theirs = qwix.quantize(X, kind, channelwise_axes=[1], calibration_method=f"absmax,{(last + 0.5) / last!r}")
    assert_allclose(ours.scale, theirs.scale, rtol=1e-6)
    assert_array_equal(encode(X, ours), theirs.qvalue.astype(jnp.float32))


@signed
def test_rounding_at_the_scale_of_qwix(kind, bits):
    theirs = qwix.quantize(X, kind, channelwise_axes=[1])
    ours = Quantizer(theirs.scale, jnp.zeros_like(theirs.scale), *code_range(bits))
    assert_array_equal(encode(X, ours), theirs.qvalue.astype(jnp.float32))
    assert_array_equal(fake_quant(X, ours), qwix.dequantize(theirs))


@pytest.mark.parametrize("low", [-2.0, 0.5, -300.0])
def test_affine_grid_is_that_of_qwix(low):
    x = np.clip(X, low, 10)
    ours = affine(x.min(), x.max(), 8)
    theirs = qwix.quantize(x, jnp.int8, calibration_method="minmax")  # codes from -128, ours from 0
    assert_allclose(ours.scale, theirs.scale.item(), rtol=1e-6)
    assert ours.zero_point == theirs.zero_point.item() + 128
    assert_array_equal(encode(x, ours), theirs.qvalue.astype(jnp.float32) + 128)
