"""Uniform affine quantization: the grid, rounding onto it, and the integer tensor that ships.

    q = clip(round(x / scale) + zero_point, low, high)          x̂ = (q - zero_point) · scale

Jacob et al. 2018 (arXiv 1712.05877, eq. 1); Nagel et al. 2021 (arXiv 2106.08295, eqs. 4-8).
Rounding is half to even, everywhere.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import struct

from methods.arrays.blocks import Blocks, peaks, spread
from methods.transforms.transform import Codes, Packed, Transform, coded, zeros

FLOAT_BITS = 32
"""At this many bits or more nothing is quantized: the identity strength."""


@struct.dataclass
class Quantizer(Transform):
    """A grid. Its arrays are float32, so bit width is data and one compiled step serves all widths.

    With blocks, scale and zero point are [blocks, *others], see `arrays/blocks.py`: groups along a contraction, say.
    """

    scale: jax.Array  # broadcasts against x; step size Δ
    zero_point: jax.Array  # broadcasts against x; an integer code
    low: jax.Array  # [] smallest code
    high: jax.Array  # [] largest code
    blocks: Blocks | None = struct.field(pytree_node=False, default=None)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Returns `x` rounded onto the grid; see `fake_quant`."""
        return fake_quant(x, self.over(x.shape))

    def over(self, shape: Sequence[int]) -> "Quantizer":
        """Returns the grid whose scale and zero point broadcast against an array of this shape."""
        scale, zero_point = (spread(each, self.blocks, shape) for each in (self.scale, self.zero_point))
        return Quantizer(scale, zero_point, self.low, self.high)

    def passes(self) -> jax.Array:
        """Returns whether the grid is so fine (32 bits) that nothing is rounded: bool [], traced or not."""
        return self.high - self.low >= 2.0 ** (FLOAT_BITS - 1)

    @property
    def bits(self) -> int:
        """Of a code, at most 32."""
        return min(FLOAT_BITS, max(1, int(self.high - self.low).bit_length()))

    def pack(self, x: jax.Array) -> jax.Array | Packed:
        """Returns what ships of weight `x`: a `Quantized`, or `Grouped` of blocks; `x` itself at 32 bits."""
        return x if bool(self.passes()) else self.packed(_codes(x, self), x)

    def packed(self, codes: jax.Array, x: jax.Array) -> Packed:
        """Returns what ships of weight `x` where its codes, integers in its shape, have been chosen. Not in jit."""
        low, scale, zero_point = int(self.low), *map(jnp.asarray, (self.scale, self.zero_point))
        if self.blocks is None:
            own = {"bits": self.bits, "low": low, "dtype": str(x.dtype), "pruned": zeros(x)}
            return Quantized(codes, scale, zero_point, **own)
        own = {"low": low, "blocks": self.blocks, "dtype": str(x.dtype)}
        return Grouped(coded((codes - low).astype(jnp.uint32), self.bits), scale, zero_point, zeros(x), **own)


@struct.dataclass
class Quantized(Packed):
    """A weight as it ships: integer codes and what turns them back into numbers."""

    codes: jax.Array  # int32, shape of the weight, in [low, low + 2**bits)
    scale: jax.Array  # float32, broadcasts against codes
    zero_point: jax.Array  # float32, broadcasts against codes; 0 for symmetric grids
    bits: int = struct.field(pytree_node=False)  # storage width of a code
    low: int = struct.field(pytree_node=False)  # smallest code, subtracted before packing
    dtype: str = struct.field(pytree_node=False, default="float32")
    pruned: jax.Array | None = None

    def unpack(self) -> jax.Array:
        """Returns the weight, (codes - zero_point) · scale."""
        return decode(self.codes, self).astype(self.dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the weight."""
        return self.codes.shape

    @property
    def nbytes(self) -> int:
        """Bytes of the codes at their width, of scales and zero points."""
        return Codes(self.codes, self.bits).nbytes + self.scale.nbytes + self.zero_point.nbytes


@struct.dataclass
class Grouped(Packed):
    """A weight on grids that differ between blocks."""

    codes: Codes  # codes minus `low`, shape of the weight
    scale: jax.Array  # float32 [blocks, *others]
    zero_point: jax.Array  # float32 [blocks, *others]
    pruned: jax.Array | None
    low: int = struct.field(pytree_node=False)  # smallest code
    blocks: Blocks = struct.field(pytree_node=False)
    dtype: str = struct.field(pytree_node=False)

    @property
    def bits(self) -> int:
        """Of a code."""
        return self.codes.bits

    def unpack(self) -> jax.Array:
        """Returns the weight, (codes + low - zero_point) · scale."""
        values = self.codes.values
        scale, zero_point = (spread(each, self.blocks, values.shape) for each in (self.scale, self.zero_point))
        return ((values.astype(jnp.int32) + self.low - zero_point) * scale).astype(self.dtype)


def code_range(
    bits: jax.Array | float, *, signed: jax.Array | bool = True, narrow: bool = False
) -> tuple[jax.Array, jax.Array]:
    """Returns (low, high), float32 []: the integer codes [-2^(b-1), 2^(b-1) - 1], or [0, 2^b - 1] if unsigned.

    Args:
      bits: of a code, traced or not; more than 32 count as 32.
      signed: whether there are negative codes.
      narrow: whether the lowest code of a signed range is left out.
    """
    bits = jnp.minimum(jnp.asarray(bits, jnp.float32), FLOAT_BITS)
    half = jnp.exp2(bits - 1)
    low = jnp.where(signed, jnp.where(narrow, 1 - half, -half), 0.0)
    high = jnp.where(signed, half - 1, 2 * half - 1)
    return low, high


def ratio(x: jax.Array, q: Quantizer) -> jax.Array:
    """Returns x / scale, the same to the last bit in every program: as a product with 1 / scale.

    Where a quotient is asked for, XLA sometimes divides and sometimes multiplies, so that what lies between two codes
    would go either way.
    """
    return x * (1 / q.scale)


def encode(x: jax.Array, q: Quantizer) -> jax.Array:
    """Returns the codes of `x`, integers as float32 in x's shape. Clipped, then rounded: the bounds are integers."""
    low, high = q.low - q.zero_point, q.high - q.zero_point
    return jnp.round(jnp.clip(ratio(x, q), low, high)) + q.zero_point


def decode(codes: jax.Array, q: Quantizer | Quantized) -> jax.Array:
    """Returns (codes - zero_point) · scale, float32 in the shape of `codes`."""
    return (codes - q.zero_point) * q.scale


@jax.custom_vjp
def fake_quant(x: jax.Array, q: Quantizer) -> jax.Array:
    """Returns `x` rounded onto the grid, in x's shape and dtype; `x` itself, bit for bit, at 32 bits.

    Gradients: straight through (Bengio et al. 2013, arXiv 1308.3432), 1 to x strictly inside the grid and 0 outside; to
    `scale`, q - x/scale inside and the code outside, which is LSQ's estimator (Esser et al. 2020, arXiv 1902.08153,
    eq. 3). Zero point and bounds have none.
    """
    return jnp.where(q.passes(), x, decode(encode(x, q), q).astype(x.dtype))


def _fake_quant_pull(residuals: tuple[jax.Array, Quantizer], dy: jax.Array) -> tuple[jax.Array, Quantizer]:
    """Works out again what the forward pass worked out: one read of x is cheaper than to keep codes and ratios."""
    x, q = residuals
    low, high = q.low - q.zero_point, q.high - q.zero_point
    place = ratio(x, q)
    inside = (place > low) & (place < high)
    slope = jnp.where(q.passes(), 0.0, encode(x, q) - q.zero_point - jnp.where(inside, place, 0.0))
    dx = jnp.where(inside | q.passes(), dy, 0)
    nothing = jax.tree.map(jnp.zeros_like, q)
    return dx, nothing.replace(scale=_summed(dy * slope, q.scale))


def _summed(x: jax.Array, like: jax.Array) -> jax.Array:
    """Returns `x` summed over the axes along which `like` was broadcast."""
    lead = x.ndim - like.ndim
    axes = (*range(lead), *(lead + i for i, n in enumerate(like.shape) if n == 1))
    return jnp.sum(x, axes).reshape(like.shape)


fake_quant.defvjp(lambda x, q: (fake_quant(x, q), (x, q)), _fake_quant_pull)


def normal(scale: jax.Array) -> jax.Array:
    """Returns `scale`, float32; 1 where it is no normal number, so that zeros, or nearly, decode to zeros."""
    return jnp.where(scale > 2 * jnp.finfo(jnp.float32).tiny, scale, 1.0).astype(jnp.float32)


def symmetric(x: jax.Array, bits: jax.Array | float, axes: Sequence[int] = (), group: int = 0) -> Quantizer:
    """Returns the min-max grid of weights: scale = max|x| / (2^(b-1) - 1), narrow range, zero point 0.

    A channel of zeros decodes to zeros.

    Args:
      x: the weights.
      bits: of a code, traced or not.
      axes: those along which each entry, an output channel say, has a scale of its own; () for one scale.
      group: how many elements along all other axes, run together in their order, share a scale; 0 for all of them.
    """
    own = {axis % x.ndim for axis in axes}
    others = tuple(i for i in range(x.ndim) if i not in own)
    low, high = code_range(bits, narrow=True)
    blocks = Blocks(others, group) if group and others else None
    peak = peaks(x, blocks) if blocks else jnp.max(jnp.abs(x), axis=others, keepdims=True)
    scale = normal(peak / high)
    return Quantizer(scale, jnp.zeros_like(scale), low, high, blocks)


def affine(minimum: jax.Array, maximum: jax.Array, bits: jax.Array | float) -> Quantizer:
    """Returns the min-max grid of activations: unsigned codes over their range, which is first widened to hold 0.

    The zero point is rounded, so that 0 is on the grid exactly (padding stays padding).

    Args:
      minimum: of the range, [].
      maximum: of the range, [].
      bits: of a code, traced or not.
    """
    low, high = code_range(bits, signed=False)
    minimum, maximum = jnp.minimum(minimum, 0.0), jnp.maximum(maximum, 0.0)
    span = maximum - minimum
    scale = normal(span / high)
    return Quantizer(scale, jnp.round(-minimum / scale), low, high)


@jax.jit
def _codes(x: jax.Array, q: Quantizer) -> jax.Array:
    return encode(x, q.over(x.shape)).astype(jnp.int32)
