"""Small floating-point formats with a scale, as FP8 is used: x̂ = round(x / scale) · scale.

The formats and their rounding are in `arrays/floats.py`. A weight ships as the format's own codes.
"""

import jax
import jax.numpy as jnp
from flax import struct

from methods.arrays.blocks import Blocks, spread
from methods.arrays.floats import decode, encode, format_of, round_to
from methods.transforms.transform import Codes, Packed, Transform, straight_through, unpack, zeros


@struct.dataclass
class Floats(Transform):
    """Numbers of a format, times a scale that is known beforehand."""

    scale: jax.Array  # float32, broadcasts against x; with blocks [blocks, *others], see `arrays/blocks.py`
    format: str = struct.field(pytree_node=False)  # "e4m3fn", "e5m2", ..., see `arrays/floats.py`
    blocks: Blocks | None = struct.field(pytree_node=False, default=None)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Returns `x` rounded; beyond the largest number it is clipped and has no gradient."""
        scale = spread(self.scale, self.blocks, x.shape)
        return scaled(x, scale, 1 / scale, self.format)

    @property
    def bits(self) -> int:
        """Of a code."""
        return format_of(self.format).bits

    def pack(self, x: jax.Array) -> Packed:
        """Returns what ships of a weight."""
        codes = float_codes(x, 1 / spread(self.scale, self.blocks, x.shape), self.format)
        return PackedFloats(codes, self.scale, None, zeros(x), self.format, None, self.blocks, str(x.dtype))


@struct.dataclass
class PackedFloats(Packed):
    """A weight of small floats: number of the code · scale of its block · scale of the tensor."""

    codes: Codes  # of the format, shape of the weight
    scale: jax.Array | Codes  # float32, or codes of the format of scales; broadcasts, or [blocks, *others]
    tensor_scale: jax.Array | None  # float32 []; None: 1
    pruned: jax.Array | None
    format: str = struct.field(pytree_node=False)
    scale_format: str | None = struct.field(pytree_node=False)  # None: scales are float32
    blocks: Blocks | None = struct.field(pytree_node=False)
    dtype: str = struct.field(pytree_node=False)

    @property
    def bits(self) -> int:
        """Of a code."""
        return self.codes.bits

    def unpack(self) -> jax.Array:
        """Returns the weight."""
        if isinstance(self.scale, Codes):
            scale = decode(self.scale.values, self.scale_format or "")
        else:
            scale = unpack(self.scale)
        if self.tensor_scale is not None:
            scale = scale * self.tensor_scale
        scale = spread(scale, self.blocks, self.codes.values.shape)
        return (decode(self.codes.values, self.format) * scale).astype(self.dtype)


def scaled(x: jax.Array, scale: jax.Array, inverse: jax.Array, format: str) -> jax.Array:
    """Returns `x` rounded to numbers of a format times `scale`, in x's shape and dtype; gradients go straight through.

    Args:
      x: any array of floats.
      scale: float32, broadcasts against x.
      inverse: of the scale. A product with it is the same to the last bit in every program, which a quotient is not.
      format: of the numbers.
    """
    ratio = x.astype(jnp.float32) * inverse
    rounded = (round_to(ratio, format) * scale).astype(x.dtype)
    return straight_through(x, rounded, jnp.abs(ratio) <= format_of(format).largest)


def float_codes(x: jax.Array, inverse: jax.Array, format: str) -> Codes:
    """Returns the codes of the numbers that `scaled` makes, as they are packed.

    Args:
      x: any array of floats.
      inverse: of the scale, float32, broadcasts against x.
      format: of the numbers.

    Raises:
      ValueError: `x` is not finite.
    """
    if not bool(jnp.isfinite(x).all()):
        raise ValueError(f"a weight is not finite: {format} has no code for it")
    return Codes(encode(x.astype(jnp.float32) * inverse, format), format_of(format).bits)
