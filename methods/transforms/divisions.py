"""Divisions by channel: what a neighbour multiplies by is taken out of an input or a weight.

    y = x / by

SmoothQuant moves the outliers of an input into the weights so (Xiao et al. 2023, arXiv 2211.10438, eq. 3).
"""

import jax
import jax.numpy as jnp
from flax import struct

from methods.transforms.transform import Transform


@struct.dataclass
class Divide(Transform):
    """A division; it rounds nothing."""

    by: jax.Array  # float32, broadcasts against x: [C] for the channels of an input

    def __call__(self, x: jax.Array) -> jax.Array:
        """Returns x / by, the same to the last bit in every program: as a product with 1 / by."""
        return (x * (1 / self.by)).astype(x.dtype)

    def passes(self) -> jax.Array:
        """Returns whether it divides by ones: bool []."""
        return jnp.all(self.by == 1)
