"""How one array of a weight is stored: as few bytes as possible, and exactly.

A leaf is an array of a dtype in `DTYPES`, `Quantized`, or `Codes`. Its values, read as unsigned integers (the bit
pattern of a number; a code minus the smallest code), are stored as `values.py` says; what a sparse form leaves out is
the median code, or the bit pattern of +0.0, so that -0.0 survives. The description of a leaf is, as far as its form has
it,

    form         that of its values; + 8 if Quantized; + 16 if it has zero points other than zeros in the shape of the
                 scale; + 32 if Codes
    Quantized    bits; low + 2^(bits - 1), signed; middle code, signed; pruned + 1, or 0 if unknown; axes of the scale
    zero points  place of their dtype in NARROW, axes
    Codes        bits; middle code
    values       the rest of their description

and its plain values are gaps, values, scale, zero points. Shape and dtype follow from the net. Axes of an array that
broadcasts against the leaf are a number: bit i, from the last axis on, says whether the array has the leaf's length
there, or 1; the highest bit set stands above the first axis.
"""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.artifact import values as lists
from benchmarks.artifact.body import Sink, Source
from benchmarks.artifact.values import CODED, Values, median, smallest
from methods.transforms.grids import Quantized
from methods.transforms.transform import Codes

DTYPES = ("bfloat16", "bool", "complex64", "float16", "float32", "int8", "int16", "int32", "uint8", "uint16", "uint32")
"""Those that JAX holds."""
UNSIGNED = ("uint8", "uint16", "uint32")
"""Those that hold `Codes`."""
DECODED = ("float32", "bfloat16", "float16")
"""Those that codes may stand for."""
NARROW = tuple(map(np.dtype, ("int8", "uint8", "int16", "uint16", "int32", "float32")))
"""Of zero points; the first that holds them exactly is taken."""

QUANTIZED, SHIFTED, CODES = 8, 16, 32
"""Of a form: the bits of the parts beside its values."""


class Leaf(NamedTuple):
    """What the description of a leaf says; None where the form does not have it."""

    shape: tuple[int, ...]
    dtype: np.dtype
    grid: tuple[int, int, int, int, tuple[int, ...]] | None  # bits, low, middle, pruned + 1, shape of the scale
    zero_point: tuple[np.dtype, tuple[int, ...]] | None
    codes: tuple[int, int] | None  # bits, middle
    values: Values


def encode(leaf: Any, sink: Sink) -> None:
    """Adds a leaf to a body.

    Raises ValueError if a code does not fit in its bits, or the leaf is none of those that are stored so.
    """
    if isinstance(leaf, Quantized):
        _encode_quantized(leaf, sink)
        return
    if isinstance(leaf, Codes):
        _encode_codes(leaf, sink)
        return
    _known(str(getattr(leaf, "dtype", type(leaf).__name__)), DTYPES)
    array = np.ascontiguousarray(leaf).reshape(-1)
    form, parts = smallest(array.view(f"u{array.itemsize}"), 0, 8 * array.itemsize, coded=False)
    sink.number(form)
    lists.write(parts, sink)


def _encode_quantized(leaf: Quantized, sink: Sink) -> None:
    _known(leaf.dtype, DECODED)
    codes, scale, zero_point = (np.asarray(a) for a in (leaf.codes, leaf.scale, leaf.zero_point))
    values = codes.reshape(-1).astype(np.int64) - leaf.low
    middle = median(values, leaf.bits)
    form, parts = smallest(values, middle, leaf.bits, coded=True)
    shifted = zero_point.shape != scale.shape or bool((zero_point.astype(bool) | np.signbit(zero_point)).any())
    shifts = [narrow(zero_point)] if shifted else []
    sink.number(form + QUANTIZED + shifted * SHIFTED)
    sink.number(leaf.bits)
    sink.signed(leaf.low + 2 ** (leaf.bits - 1))
    sink.signed(leaf.low + middle)
    sink.number(0 if leaf.pruned is None else int(leaf.pruned) + 1)
    sink.number(_axes(scale, codes.shape, "scale"))
    for array in shifts:
        sink.number(NARROW.index(array.dtype))
        sink.number(_axes(array, codes.shape, "zero_point"))
    lists.write(parts, sink)
    for array in (scale, *shifts):
        sink.plain(array)


def _encode_codes(leaf: Codes, sink: Sink) -> None:
    values = np.asarray(leaf.values).reshape(-1)
    middle = median(values, leaf.bits)
    form, parts = smallest(values, middle, leaf.bits, coded=True)
    sink.number(form + CODES)
    sink.number(leaf.bits)
    sink.number(middle)
    lists.write(parts, sink)


def _known(dtype: str, known: tuple[str, ...]) -> None:
    if dtype not in known:
        kinds = [", ".join(names) for names in (DTYPES, DECODED, UNSIGNED)]
        raise ValueError("a leaf is an array of {}, Quantized of {}, or Codes of {}, not {}".format(*kinds, dtype))


def _axes(array: np.ndarray, shape: tuple[int, ...], name: str) -> int:
    whole = [length != 1 for length in array.shape]
    axes = int("".join(map(str, [1, *map(int, whole)])), 2)
    if array.ndim > len(shape) or _shape(axes, shape) != array.shape:
        raise ValueError(f"{name} of shape {array.shape} does not broadcast against {shape}")
    return axes


def _shape(axes: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Returns the shape of an array that broadcasts against `shape`."""
    ndim = axes.bit_length() - 1
    if not 0 <= ndim <= len(shape):
        raise ValueError(f"an array of {ndim} axes does not broadcast against {shape}")
    return tuple(shape[-i - 1] if axes >> i & 1 else 1 for i in reversed(range(ndim)))


def narrow(zero_point: np.ndarray) -> np.ndarray:
    """Returns `zero_point` in the first dtype of NARROW that holds it exactly."""
    with np.errstate(invalid="ignore"):
        cast = [zero_point.astype(dtype) for dtype in NARROW]
    return next(one for one in cast if one.astype(np.float32).tobytes() == zero_point.tobytes())


def read(source: Source, form: int, shape: tuple[int, ...], dtype: np.dtype) -> Leaf:
    """Returns the next description of a body, whose first number has been read.

    Args:
        source: stands behind that.
        form: the first number.
        shape: of the leaf.
        dtype: of the leaf; what codes decode to.

    Raises ValueError if the description fits no leaf of that shape and dtype.
    """
    quantized, codes = bool(form & QUANTIZED), bool(form & CODES)
    _known(dtype.name, DECODED if quantized else UNSIGNED if codes else DTYPES)
    known = form < 2 * CODES and not (quantized and codes) and (quantized or not form & SHIFTED)
    if not known or (form & CODED and not (quantized or codes)):
        raise ValueError(f"there is no form {form}")
    grid = _read_grid(source, shape) if quantized else None
    packed = _read_codes(source, dtype) if codes else None
    bits, middle = (grid[0], grid[2]) if grid else packed or (8 * dtype.itemsize, 0)
    zero_point = (read_dtype(source), _shape(source.number(), shape)) if form & SHIFTED else None
    values = lists.read(source, form, math.prod(shape), middle, bits)
    return Leaf(shape, dtype, grid, zero_point, packed, values)


def read_dtype(source: Source) -> np.dtype:
    """Returns the dtype of zero points, whose place comes next in a description."""
    place = source.number()
    if place >= len(NARROW):
        raise ValueError(f"zero points have no dtype {place}")
    return NARROW[place]


def _read_codes(source: Source, dtype: np.dtype) -> tuple[int, int]:
    bits, middle = source.number(), source.number()
    if not 1 <= bits <= 8 * dtype.itemsize or middle >= 2**bits:
        raise ValueError(f"{dtype} holds no codes of {bits} bits around {middle}")
    return bits, middle


def _read_grid(source: Source, shape: tuple[int, ...]) -> tuple[int, int, int, int, tuple[int, ...]]:
    bits = source.number()
    if not 1 <= bits <= 32:
        raise ValueError(f"codes are 1 to 32 bits wide, not {bits}")
    low, middle, pruned, axes = source.signed() - 2 ** (bits - 1), source.signed(), source.number(), source.number()
    if not -(2**31) <= low <= middle < min(2**31, low + 2**bits):
        raise ValueError(f"there are no codes of {bits} bits from {low} on around {middle}")
    if pruned > math.prod(shape) + 1:
        raise ValueError(f"{pruned - 1} of {math.prod(shape)} weights cannot be pruned")
    return bits, low, middle - low, pruned, _shape(axes, shape)


def decode(leaf: Leaf, source: Source) -> jax.Array | Quantized | Codes:
    """Returns the leaf whose values come next. Raises ValueError if they do not fit its description."""
    values = lists.restore(leaf.values, source)
    if leaf.codes:
        return Codes(jnp.asarray(values.astype(leaf.dtype).reshape(leaf.shape)), leaf.codes[0])
    if leaf.grid is None:
        return jnp.asarray(values.astype(f"u{leaf.dtype.itemsize}").view(leaf.dtype).reshape(leaf.shape))
    bits, low, _, pruned, axes = leaf.grid
    codes = values.astype(np.int64) + low
    if codes.max(initial=low) >= 2**31:
        raise ValueError(f"code {codes.max()} is above the largest, 2^31 - 1")
    scale = source.array(np.dtype(np.float32), axes)
    zero_point = source.array(*leaf.zero_point).astype(np.float32) if leaf.zero_point else np.zeros_like(scale)
    return Quantized(
        jnp.asarray(codes.astype(np.int32).reshape(leaf.shape)),
        jnp.asarray(scale),
        jnp.asarray(zero_point),
        bits=bits,
        low=low,
        dtype=leaf.dtype.name,
        pruned=jnp.int32(pruned - 1) if pruned else None,
    )
