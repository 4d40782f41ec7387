"""How one weight is stored: as few bytes as possible, and exactly.

A leaf is an array of a dtype in `DTYPES`, or `Quantized`. Its values, read as unsigned integers (the bit pattern of a
number; a code minus the smallest code), have a middle: the median code, or the bit pattern of +0.0, so that -0.0
survives. They are stored in whichever form makes the smallest file:

    dense    all values
    sparse   those that are not the middle, and the gap before each of them

Gaps are Rice codes or entropy-coded (Han et al. 2016, arXiv 1510.00149, §2-4); codes are packed or entropy-coded; bit
patterns are stored as they are. The description of a leaf is, as far as its form has it,

    form         0 dense, 1 sparse by Rice codes, 2 sparse by entropy-coded gaps; + 4 if codes are entropy-coded;
                 + 8 if Quantized; + 16 if it has zero points other than zeros in the shape of the scale
    Quantized    bits; low + 2^(bits - 1), signed; middle code, signed; pruned + 1, or 0 if unknown; axes of the scale
    zero points  place of their dtype in NARROW, axes
    sparse       number of kept values, how gaps are coded
    codes        how they are coded

and its plain values are gaps, values, scale, zero points. Shape and dtype follow from the net. Axes of an array that
broadcasts against the leaf are a number: bit i, from the last axis on, says whether the array has the leaf's length
there, or 1; the highest bit set stands above the first axis.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.artifact.body import Sink, Source, number
from benchmarks.artifact.numbers import Cells, Coding, Packed, Rice, celled, packed, read_cells, read_rice, riced
from methods.transforms.grids import Quantized

DTYPES = ("bfloat16", "bool", "complex64", "float16", "float32", "int8", "int16", "int32", "uint8", "uint16", "uint32")
"""Those that JAX holds."""
DECODED = ("float32", "bfloat16", "float16")
"""Those that codes may stand for."""
NARROW = tuple(map(np.dtype, ("int8", "uint8", "int16", "uint16", "int32", "float32")))
"""Of zero points; the first that holds them exactly is taken."""

SPARSE, RICE, CODED, QUANTIZED, SHIFTED = 3, 1, 4, 8, 16
"""Of a form: which bits say whether it is sparse, what they are with Rice codes, and the bits of the other parts."""


class Leaf(NamedTuple):
    """What the description of a leaf says; None where the form does not have it."""

    shape: tuple[int, ...]
    dtype: np.dtype
    grid: tuple[int, int, int, int, tuple[int, ...]] | None  # bits, low, middle, pruned + 1, shape of the scale
    zero_point: tuple[np.dtype, tuple[int, ...]] | None
    kept: int | None
    gaps: Coding | None
    values: Coding


def encode(leaf: Any, sink: Sink) -> None:
    """Adds a leaf to a body.

    Raises ValueError if a code does not fit in its bits, or the leaf is neither `Quantized` nor of a known dtype.
    """
    if isinstance(leaf, Quantized):
        _encode_quantized(leaf, sink)
        return
    _known(str(getattr(leaf, "dtype", type(leaf).__name__)), DTYPES)
    array = np.ascontiguousarray(leaf).reshape(-1)
    bits = 8 * array.itemsize
    form, parts = _smallest(array.view(f"u{array.itemsize}"), 0, lambda numbers: packed(numbers.size, bits))
    sink.number(form)
    _write(parts, sink)


def _encode_quantized(leaf: Quantized, sink: Sink) -> None:
    _known(leaf.dtype, DECODED)
    codes, scale, zero_point = (np.asarray(a) for a in (leaf.codes, leaf.scale, leaf.zero_point))
    values = codes.reshape(-1).astype(np.int64) - leaf.low
    middle = _median(values, leaf.bits)
    form, parts = _smallest(values, middle, lambda numbers: _codes(numbers, leaf.bits, middle))
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
    _write(parts, sink)
    for array in (scale, *shifts):
        sink.plain(array)


def _median(values: np.ndarray, bits: int) -> int:
    """Returns the median, the lower one of two; 0 of nothing. Raises ValueError if a value does not fit in `bits`."""
    if not values.size:
        return 0
    if not 0 <= values.min() <= values.max() < 2**bits:
        raise ValueError(f"codes from {values.min()} to {values.max()} do not fit in {bits} bits")
    return int(np.partition(values, (values.size - 1) // 2)[(values.size - 1) // 2])


def _known(dtype: str, known: tuple[str, ...]) -> None:
    if dtype not in known:
        raise ValueError(
            f"a leaf is an array of {', '.join(DTYPES)}, or Quantized of {', '.join(DECODED)}, not {dtype}"
        )


def _codes(numbers: np.ndarray, bits: int, middle: int) -> tuple[float, Coding]:
    plain = packed(numbers.size, bits)
    return _smaller([plain, celled(numbers, middle, bits)]) if numbers.size else plain


def _smaller(sized: list[tuple[float, Any]]) -> tuple[float, Any]:
    """Returns the one of fewest bytes, the first of equals."""
    return min(sized, key=lambda one: one[0])


def _smallest(
    values: np.ndarray, middle: int, coding: Callable[[np.ndarray], tuple[float, Coding]]
) -> tuple[int, list[tuple[Coding, np.ndarray]]]:
    """Returns the form of fewest bytes, and what it stores: gaps if it is sparse, then values, each with its coding.

    Args:
        values: unsigned integers [N].
        middle: the value that a sparse form leaves out.
        coding: of values [any], (bytes, coding).
    """
    where = np.flatnonzero(values != middle)
    kept, gaps = values[where], np.diff(where, prepend=-1) - 1
    size, dense = coding(values)
    sparse_size, sparse = coding(kept)
    gaps_size, placed = _smaller([riced(gaps), *([celled(gaps, 0, 32)] if gaps.size else [])])
    if size <= sparse_size + gaps_size + len(number(where.size)):
        return CODED * isinstance(dense, Cells), [(dense, values)]
    form = RICE if isinstance(placed, Rice) else RICE + 1
    return form + CODED * isinstance(sparse, Cells), [(placed, gaps), (sparse, kept)]


def _write(parts: list[tuple[Coding, np.ndarray]], sink: Sink) -> None:
    if len(parts) == 2:
        sink.number(parts[0][1].size)
    for coding, numbers in parts:
        coding.describe(sink)
        coding.write(numbers, sink)


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


def read(source: Source, shape: tuple[int, ...], dtype: np.dtype) -> Leaf:
    """Returns the next description of a body.

    Args:
        source: stands there.
        shape: of the leaf.
        dtype: of the leaf; what codes decode to.

    Raises ValueError if the description fits no leaf of that shape and dtype.
    """
    form = source.number()
    quantized = bool(form & QUANTIZED)
    _known(dtype.name, DECODED if quantized else DTYPES)
    if form & SPARSE == SPARSE or form >= 2 * SHIFTED or (form & (CODED | SHIFTED) and not quantized):
        raise ValueError(f"there is no form {form}")
    grid = _read_grid(source, shape) if quantized else None
    bits, _, middle, *_ = grid or (8 * dtype.itemsize, 0, 0)
    zero_point = (read_dtype(source), _shape(source.number(), shape)) if form & SHIFTED else None
    kept, gaps = _read_gaps(form, source, math.prod(shape))
    count = math.prod(shape) if kept is None else kept
    values = read_cells(source, middle, bits, count) if form & CODED else Packed(bits)
    return Leaf(shape, dtype, grid, zero_point, kept, gaps, values)


def _read_gaps(form: int, source: Source, size: int) -> tuple[int | None, Coding | None]:
    if not form & SPARSE:
        return None, None
    kept = source.number()
    if kept > size:
        raise ValueError(f"keeps {kept} of {size} values")
    return kept, read_rice(source) if form & SPARSE == RICE else read_cells(source, 0, 32, kept)


def read_dtype(source: Source) -> np.dtype:
    """Returns the dtype of zero points, whose place comes next in a description."""
    place = source.number()
    if place >= len(NARROW):
        raise ValueError(f"zero points have no dtype {place}")
    return NARROW[place]


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


def decode(leaf: Leaf, source: Source) -> jax.Array | Quantized:
    """Returns the leaf whose values come next. Raises ValueError if they do not fit its description."""
    middle = leaf.grid[2] if leaf.grid else 0
    values = _restore(leaf, middle, source)
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


def _restore(leaf: Leaf, middle: int, source: Source) -> np.ndarray:
    """Returns all values, unsigned integers [N]."""
    size = math.prod(leaf.shape)
    if leaf.gaps is None or leaf.kept is None:
        return leaf.values.read(size, source)
    gaps = leaf.gaps.read(leaf.kept, source)
    where = np.cumsum(gaps + 1) - 1
    if gaps.max(initial=0) >= size > 0 or (where.size and where[-1] >= size):
        raise ValueError(f"its gaps do not place {leaf.kept} values among {size}")
    kept = leaf.values.read(leaf.kept, source)
    values = np.full(size, middle, kept.dtype)
    values[where] = kept
    return values
