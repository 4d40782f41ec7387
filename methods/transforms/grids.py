"""Uniform affine quantization: the grid, rounding onto it, and the integer tensor that ships.

    q = clip(round(x / scale) + zero_point, low, high)          x̂ = (q - zero_point) · scale

Jacob et al. 2018 (arXiv 1712.05877, eq. 1); Nagel et al. 2021 (arXiv 2106.08295, eqs. 4-8).
Rounding is half to even, everywhere.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeGuard

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

FLOAT_BITS = 32
"""At this many bits or more nothing is quantized: the identity strength."""


class Quantizer(NamedTuple):
    """A grid. All fields are float32 arrays, so bit width is data and one compiled step serves all widths."""

    scale: jax.Array  # broadcasts against x; step size Δ
    zero_point: jax.Array  # broadcasts against x; an integer code
    low: jax.Array  # [] smallest code
    high: jax.Array  # [] largest code

    def passes(self) -> jax.Array:
        """Returns whether the grid is so fine (32 bits) that nothing is rounded: bool [], traced or not."""
        return self.high - self.low >= 2.0 ** (FLOAT_BITS - 1)


@struct.dataclass
class Quantized:
    """A weight as it ships: integer codes and what turns them back into numbers."""

    codes: jax.Array  # int32, shape of the weight, in [low, low + 2**bits)
    scale: jax.Array  # float32, broadcasts against codes
    zero_point: jax.Array  # float32, broadcasts against codes; 0 for symmetric grids
    bits: int = struct.field(pytree_node=False)  # storage width of a code
    low: int = struct.field(pytree_node=False)  # smallest code, subtracted before packing
    dtype: str = struct.field(pytree_node=False, default="float32")  # of the weight
    pruned: jax.Array | None = None  # int32 []: how many weights were 0 before they were rounded; None: unknown


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
    zeros = jax.tree.map(jnp.zeros_like, q)
    return dx, zeros._replace(scale=_summed(dy * slope, q.scale))


def _summed(x: jax.Array, like: jax.Array) -> jax.Array:
    """Returns `x` summed over the axes along which `like` was broadcast."""
    lead = x.ndim - like.ndim
    axes = (*range(lead), *(lead + i for i, n in enumerate(like.shape) if n == 1))
    return jnp.sum(x, axes).reshape(like.shape)


fake_quant.defvjp(lambda x, q: (fake_quant(x, q), (x, q)), _fake_quant_pull)


def _step_size(span: jax.Array, codes: jax.Array) -> jax.Array:
    """Returns span / codes, float32; 1 where that is no normal number, so that zeros, or nearly, decode to zeros."""
    scale = span / codes
    return jnp.where(scale > 2 * jnp.finfo(jnp.float32).tiny, scale, 1.0).astype(jnp.float32)


def symmetric(x: jax.Array, bits: jax.Array | float, axes: Sequence[int] = ()) -> Quantizer:
    """Returns the min-max grid of weights: scale = max|x| / (2^(b-1) - 1), narrow range, zero point 0.

    A channel of zeros decodes to zeros.

    Args:
      x: the weights.
      bits: of a code, traced or not.
      axes: those along which each entry, an output channel say, has a scale of its own; () for one scale.
    """
    own = {axis % x.ndim for axis in axes}
    low, high = code_range(bits, narrow=True)
    peak = jnp.max(jnp.abs(x), axis=tuple(i for i in range(x.ndim) if i not in own), keepdims=True)
    scale = _step_size(peak, high)
    return Quantizer(scale, jnp.zeros_like(scale), low, high)


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
    scale = _step_size(span, high)
    return Quantizer(scale, jnp.round(-minimum / scale), low, high)


@jax.jit
def _codes(x: jax.Array, q: Quantizer) -> jax.Array:
    return encode(x, q).astype(jnp.int32)


def pack(x: jax.Array, q: Quantizer) -> jax.Array | Quantized:
    """Returns what ships of weight `x` under grid `q`: a `Quantized`, or `x` itself at 32 bits. Not for use in jit.

    Weights that are 0 already are taken to be pruned; those that only become 0 are not.
    """
    if bool(q.passes()):
        return x
    low, high = int(q.low), int(q.high)
    scale, zero_point = jnp.asarray(q.scale), jnp.asarray(q.zero_point)
    bits = int(np.ceil(np.log2(high - low + 1)))
    pruned = jnp.sum(x == 0, dtype=jnp.int32)
    return Quantized(_codes(x, q), scale, zero_point, bits=bits, low=low, dtype=str(x.dtype), pruned=pruned)


def unpack(leaf: Any) -> Any:
    """Returns the weight of a `Quantized`, in its dtype; any other leaf unchanged."""
    return decode(leaf.codes, leaf).astype(leaf.dtype) if isinstance(leaf, Quantized) else leaf


def is_quantized(leaf: Any) -> TypeGuard[Quantized]:
    """Returns whether a leaf is a `Quantized`."""
    return isinstance(leaf, Quantized)


def decoded(tree: Any) -> Any:
    """Returns `tree`, a `Shipped` say, with every `Quantized` leaf decoded to numbers."""
    return jax.tree.map(unpack, tree, is_leaf=is_quantized)
