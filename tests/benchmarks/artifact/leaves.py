"""Leaves of artifacts for tests, and when two trees are the same."""

import jax
import jax.numpy as jnp
import numpy as np

from methods.transforms.grids import Quantized


def quantized(codes, bits, low, scale=0.5, zero_point=0.0):
    scale = jnp.asarray(scale, jnp.float32)
    zero_point = jnp.asarray(np.broadcast_to(np.float32(zero_point), scale.shape))
    return Quantized(jnp.asarray(codes, jnp.int32), scale, zero_point, bits=bits, low=low)


def sparse(size, kept, seed=0):
    values = np.zeros(size, np.float32)
    rows = np.random.default_rng(seed).choice(size, kept, replace=False)
    values[rows] = 1.5
    return values


def assert_same(a, b):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        assert (x.dtype, x.shape) == (y.dtype, y.shape)
        assert np.asarray(x).tobytes() == np.asarray(y).tobytes()


def flipped(data, every):
    """Copies of bytes, each with one bit of one byte in so many flipped."""
    for i in range(0, len(data), every):
        broken = bytearray(data)
        broken[i] ^= 1 << (i % 5)  # below 0x20, which would only turn the e of an exponent into E
        yield broken
