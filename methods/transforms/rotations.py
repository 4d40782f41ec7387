"""Rotations: an axis is turned by a Hadamard matrix with random signs, which spreads outliers over all its channels.

    y = x · D · H / √n          D: signs on the diagonal,  H: Hadamard's matrix of n × n, n a power of two

If an input is turned along its channels, and a weight along the axis that they meet, by the same signs, their product
stays as it was: (x D H)(H D w) / n = x w. QuaRot (Ashkboos et al. 2024, arXiv 2404.00456, §3). An axis whose length is
no power of two is turned in blocks of the largest one that divides it.
"""

import math

import jax
import jax.numpy as jnp
from flax import struct

from methods.transforms.transform import Codes, Transform


@struct.dataclass
class Rotation(Transform):
    """A rotation of one axis; it rounds nothing."""

    flipped: Codes  # 1 bit for each entry of the axis: whether its sign is turned
    axis: int = struct.field(pytree_node=False, default=-1)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Returns `x` turned. Raises ValueError if there is not one sign for each entry of the axis."""
        length = x.shape[self.axis]
        if self.flipped.values.shape != (length,):
            raise ValueError(f"{self.flipped.values.shape} signs turn no axis of length {length}")
        last = jnp.moveaxis(x, self.axis, -1) * (1 - 2 * self.flipped.values.astype(x.dtype))
        return jnp.moveaxis(hadamard(last), -1, self.axis)


def hadamard(x: jax.Array) -> jax.Array:
    """Returns x [..., n · m] times Hadamard's matrix / √n in blocks of n, the largest power of two in the last axis."""
    length = x.shape[-1]
    size = length & -length
    shape, half = x.shape, 1
    while half < size:
        pairs = x.reshape(*shape[:-1], -1, 2, half)
        first, second = pairs[..., 0, :], pairs[..., 1, :]
        x, half = jnp.stack([first + second, first - second], axis=-2), 2 * half
    return (x.reshape(shape) * (1 / math.sqrt(size))).astype(x.dtype)


def signs(key: jax.Array, length: int) -> Codes:
    """Returns random signs for an axis of that length."""
    return Codes(jax.random.bernoulli(key, shape=(length,)).astype(jnp.uint8), 1)
