"""Blocks whose scales are small floats themselves, under a scale of the tensor: NVFP4, NVIDIA 2025 (arXiv 2509.25149).

    t = max|x| / (6 · 448)      s = e4m3(max|x| of the block / 6 / t)      x̂ = e2m1(x / (s · t)) · s · t

The tensor's scale t is known beforehand, float32; s follows from the block, so that of an input only t is calibrated.
"""

import jax
import jax.numpy as jnp
from flax import struct

from methods.arrays.blocks import Blocks, peaks, spread
from methods.arrays.floats import decode, encode, format_of
from methods.transforms.floats import PackedFloats, float_codes, scaled
from methods.transforms.transform import Codes, Packed, Transform, zeros


@struct.dataclass
class DoubleScaled(Transform):
    """Blocks of numbers of a format."""

    scale: jax.Array  # float32 [], above 0: t
    format: str = struct.field(pytree_node=False)  # of the numbers: "e2m1"
    scale_format: str = struct.field(pytree_node=False)  # of the blocks' scales: "e4m3fn"
    blocks: Blocks = struct.field(pytree_node=False)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Returns `x` rounded; what lies beyond the largest number of its block is clipped and has no gradient."""
        scale = spread(decode(self._scales(x), self.scale_format) * self.scale, self.blocks, x.shape)
        return scaled(x, scale, _inverse(scale), self.format)

    @property
    def bits(self) -> int:
        """Of a code; scales are not among them."""
        return format_of(self.format).bits

    def pack(self, x: jax.Array) -> Packed:
        """Returns what ships of a weight."""
        codes = self._scales(x)
        scale = spread(decode(codes, self.scale_format) * self.scale, self.blocks, x.shape)
        own = {"format": self.format, "scale_format": self.scale_format, "blocks": self.blocks, "dtype": str(x.dtype)}
        numbers = float_codes(x, _inverse(scale), self.format)
        scales = Codes(codes, format_of(self.scale_format).bits)
        return PackedFloats(numbers, scales, jnp.asarray(self.scale), zeros(x), **own)

    def _scales(self, x: jax.Array) -> jax.Array:
        """Returns the codes of the blocks' scales."""
        peak = jax.lax.stop_gradient(peaks(x.astype(jnp.float32), self.blocks))
        return encode(peak * (1 / (format_of(self.format).largest * self.scale)), self.scale_format)


def _inverse(scale: jax.Array) -> jax.Array:
    """Returns 1 / scale; 0 where that is 0, so that such a block becomes zeros."""
    return jnp.where(scale > 0, 1 / jnp.where(scale > 0, scale, 1), 0)
