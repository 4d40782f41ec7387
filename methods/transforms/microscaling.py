"""Blocks with a power of two as their scale: OCP Microscaling, Rouhani et al. 2023 (arXiv 2310.10537, algorithm 1).

    scale = 2^(⌊log2 max|x|⌋ - emax)          x̂ = round(x / scale) · scale

with the maximum over the block and emax the exponent of the format's largest number. The scale follows from the block
itself, so an input needs no calibration; as E8M0 it takes 8 bits a block. It is at least 2^-127, and what is scaled by
less than 2^-126 becomes 0, as does a block of zeros.
"""

import jax
import jax.numpy as jnp
from flax import struct

from methods.arrays.blocks import Blocks, peaks, spread
from methods.arrays.floats import exponents, format_of, power
from methods.transforms.floats import PackedFloats, float_codes, scaled
from methods.transforms.transform import Codes, Packed, Transform, zeros

SCALES = "e8m0"


@struct.dataclass
class Microscaled(Transform):
    """Blocks of numbers of a format."""

    format: str = struct.field(pytree_node=False)  # "e2m1" makes MXFP4, see `arrays/floats.py`
    blocks: Blocks = struct.field(pytree_node=False)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Returns `x` rounded; what lies beyond the largest number of its block is clipped and has no gradient."""
        exponent = self._exponents(x)
        scale, inverse = (spread(each, self.blocks, x.shape) for each in (power(exponent), power(-exponent)))
        return scaled(x, scale, inverse, self.format)

    @property
    def bits(self) -> int:
        """Of a code; scales are not among them."""
        return format_of(self.format).bits

    def pack(self, x: jax.Array) -> Packed:
        """Returns what ships of a weight."""
        exponent = self._exponents(x)
        codes = float_codes(x, spread(power(-exponent), self.blocks, x.shape), self.format)
        scale = Codes((exponent + 127).astype(jnp.uint8), 8)
        return PackedFloats(codes, scale, None, zeros(x), self.format, SCALES, self.blocks, str(x.dtype))

    def _exponents(self, x: jax.Array) -> jax.Array:
        """Returns that of each block's scale, int32."""
        peak = jax.lax.stop_gradient(peaks(x.astype(jnp.float32), self.blocks))
        return jnp.maximum(exponents(peak) - format_of(self.format).emax, -127)
