"""How one weight is stored: as few bytes as possible, and exactly.

A leaf is an array of a dtype in `DTYPES`, stored as it is, or `Quantized`. Codes and float32 values, read as unsigned
integers (the bit pattern of a float; a code minus `low`), are stored in whichever of three forms makes the smallest
file:

    dense   all values
    mask    one bit per element, set where the value is kept; the kept values
    gaps    zeros skipped before each kept value, at the smallest sufficient width; the kept values
            (Han et al. 2016, arXiv 1510.00149, §2)

"Zero" is the bit pattern of +0.0, so that -0.0 survives, and for codes the zero point, if that is one value.
"""

import math
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import jax.numpy as jnp
import msgspec
import numpy as np

from benchmarks.artifact.bits import pack, packed_bytes, unpack, width
from methods.arrays.uniform import Quantized

DTYPES = ("bfloat16", "bool", "complex64", "float16", "float32", "int8", "int16", "int32", "uint8", "uint16", "uint32")
"""Those that JAX holds and safetensors reads back."""
SPARSE_OVERHEAD = 128
"""Bytes of names, shapes and offsets that a form other than dense costs, about."""

Count = Annotated[int, msgspec.Meta(ge=0)]
Width = Annotated[int, msgspec.Meta(ge=1, le=32)]
Code = Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)]


class Leaf(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Description of a leaf: what its tensors do not say themselves. A dense tensor that holds no codes needs none."""

    shape: tuple[Count, ...]
    form: Literal["dense", "mask", "gaps"] = "dense"
    kept: Count | None = None  # number of stored values, if not dense
    gap_bits: Width | None = None  # width of a gap
    bits: Width | None = None  # width of a code; None for float32
    low: Code = 0  # smallest code
    dtype: Literal["float16", "bfloat16"] | None = None  # of the weight that codes stand for; None for float32


def encode(leaf: Any) -> tuple[Leaf | None, dict[str, np.ndarray]]:
    """Returns the description of a leaf and its tensors by part.

    Parts are "" for the values, "mask" or "gaps", and of a `Quantized` "scale" and "zero_point".

    Raises ValueError if a code does not fit in its bits, or the leaf is neither `Quantized` nor of a known dtype.
    """
    if not isinstance(leaf, Quantized):
        _known(str(getattr(leaf, "dtype", type(leaf).__name__)))
        return _encode_array(np.asarray(leaf))
    codes, zero_point = np.asarray(leaf.codes), np.asarray(leaf.zero_point)
    values = codes.reshape(-1).astype(np.int64) - leaf.low
    zero = _fill(zero_point, leaf.low)
    fields, positions, kept = _smallest(values, leaf.bits, values == zero)
    parts = {"": pack(kept, leaf.bits), "scale": np.asarray(leaf.scale), **positions}
    if zero_point.any() or np.signbit(zero_point).any() or zero_point.shape != parts["scale"].shape:
        parts["zero_point"] = _narrow(zero_point)
    dtype: Any = None if leaf.dtype == "float32" else leaf.dtype
    return Leaf(codes.shape, bits=leaf.bits, low=leaf.low, dtype=dtype, **fields), parts


def _known(dtype: str) -> None:
    if dtype not in DTYPES:
        raise ValueError(f"a leaf is Quantized or an array of {', '.join(DTYPES)}, not {dtype}")


def _encode_array(array: np.ndarray) -> tuple[Leaf | None, dict[str, np.ndarray]]:
    if array.dtype != np.float32:
        return None, {"": array}
    values = np.ascontiguousarray(array).reshape(-1).view(np.uint32)
    fields, positions, kept = _smallest(values, 32, values == 0)
    if not fields:
        return None, {"": array}
    return Leaf(array.shape, **fields), {"": kept.view(np.float32), **positions}


def _smallest(values: np.ndarray, bits: int, zero: np.ndarray) -> tuple[dict, dict[str, np.ndarray], np.ndarray]:
    """Returns (fields of `Leaf`, tensors that say where, kept values) of the form of fewest bytes.

    Args:
        values: unsigned integers [N].
        bits: of one value.
        zero: bool [N], where a value is zero.

    The simpler form wins a tie.
    """
    where = np.flatnonzero(~zero)
    gaps = np.diff(where, prepend=-1) - 1
    gap_bits = width(gaps.max(initial=0) + 1)
    sparse = packed_bytes(where.size, bits) + SPARSE_OVERHEAD
    sizes = {
        "dense": packed_bytes(values.size, bits),
        "mask": packed_bytes(values.size, 1) + sparse,
        "gaps": packed_bytes(where.size, gap_bits) + sparse,
    }
    form = min(sizes, key=lambda form: sizes[form])
    if form == "dense":
        return {}, {}, values
    if form == "mask":
        return {"form": form, "kept": where.size}, {"mask": pack(~zero, 1)}, values[where]
    return {"form": form, "kept": where.size, "gap_bits": gap_bits}, {"gaps": pack(gaps, gap_bits)}, values[where]


def _fill(zero_point: np.ndarray, low: int) -> float | None:
    """Returns the value that stands for zero, or None where channels differ."""
    first = zero_point.flat[0]
    return float(first) - low if (zero_point == first).all() else None


def _narrow(zero_point: np.ndarray) -> np.ndarray:
    """Returns `zero_point` in the smallest integer dtype that holds it exactly; float32 if none does."""
    with np.errstate(invalid="ignore"):
        for dtype in (np.int8, np.uint8, np.int16, np.uint16, np.int32):
            narrow = zero_point.astype(dtype)
            if narrow.astype(np.float32).tobytes() == zero_point.tobytes():
                return narrow
    return zero_point


def decode(leaf: Leaf | None, parts: dict[str, np.ndarray]) -> Any:
    """Returns the array or `Quantized` that `encode` took. Raises ValueError where its description does not fit."""
    if leaf is None:
        _expect(parts, {""})
        _known(str(parts[""].dtype))
        return jnp.asarray(parts[""])
    _expect(parts, {""} | ({leaf.form} - {"dense"}) | (set() if leaf.bits is None else {"scale"}))
    if leaf.bits is None:
        kept = np.ascontiguousarray(_typed(parts, "", np.float32)).view(np.uint32)
        values = _restore(leaf, parts, kept, 0).view(np.float32)
        return jnp.asarray(values.reshape(leaf.shape))
    scale = _typed(parts, "scale", np.float32)
    zero_point = parts.get("zero_point", np.zeros_like(scale))
    if zero_point.dtype.kind not in "iuf":
        raise ValueError(f"zero_point should be numbers, not {zero_point.dtype}")
    zero_point = zero_point.astype(np.float32)
    for name, array in (("scale", scale), ("zero_point", zero_point)):
        if array.ndim > len(leaf.shape) or any(a not in (1, n) for a, n in _axes(array, leaf)):
            raise ValueError(f"{name} of shape {array.shape} does not broadcast against {leaf.shape}")
    kept = unpack(_typed(parts, "", np.uint8), leaf.bits, _stored(leaf))
    values = _restore(leaf, parts, kept, _fill(zero_point, leaf.low))
    codes = (values.astype(np.int64) + leaf.low).astype(np.int32).reshape(leaf.shape)
    scale, zero_point = jnp.asarray(scale), jnp.asarray(zero_point)
    return Quantized(jnp.asarray(codes), scale, zero_point, bits=leaf.bits, low=leaf.low, dtype=leaf.dtype or "float32")


def _restore(leaf: Leaf, parts: dict[str, np.ndarray], kept: np.ndarray, zero: float | None) -> np.ndarray:
    """Returns all values, uint32 [N], from the kept ones."""
    if kept.shape != (_stored(leaf),):
        raise ValueError(f"holds {kept.shape} values where {_stored(leaf)} belong")
    if leaf.form == "dense":
        return kept
    if zero is None or not 0 <= zero < 2 ** (leaf.bits or 32) or zero != int(zero):
        raise ValueError("is sparse but has no code for zero")
    values = np.full(math.prod(leaf.shape), int(zero), np.uint32)
    values[_positions(leaf, parts)] = kept
    return values


def _positions(leaf: Leaf, parts: dict[str, np.ndarray]) -> np.ndarray:
    """Returns the places [kept] of the kept values among all."""
    size, kept = math.prod(leaf.shape), _stored(leaf)
    stream = _typed(parts, leaf.form, np.uint8)
    if leaf.form == "mask":
        where = np.flatnonzero(unpack(stream, 1, size))
    else:
        where = np.cumsum(unpack(stream, leaf.gap_bits or 0, kept).astype(np.int64) + 1) - 1
    if where.size != kept or (where.size and where[-1] >= size):
        raise ValueError(f"{leaf.form} does not place {kept} values among {size}")
    return where


def _axes(array: np.ndarray, leaf: Leaf) -> Iterable[tuple[int, int]]:
    """Returns (length in `array`, length in the leaf) of each axis, from the last on."""
    return zip(reversed(array.shape), reversed(leaf.shape), strict=False)


def _stored(leaf: Leaf) -> int:
    count = math.prod(leaf.shape) if leaf.form == "dense" else leaf.kept
    if count is None:
        raise ValueError(f"is {leaf.form} but does not say how many values are kept")
    return count


def _typed(parts: dict[str, np.ndarray], part: str, dtype: Any) -> np.ndarray:
    if parts[part].dtype != dtype:
        raise ValueError(f"{part or 'values'} should be {np.dtype(dtype)}, not {parts[part].dtype}")
    return parts[part]


def _expect(parts: dict[str, np.ndarray], needed: set[str]) -> None:
    optional = {"zero_point"} if "scale" in needed else set()
    if needed - set(parts) or set(parts) - needed - optional:
        raise ValueError(f"should have parts {sorted(needed)}, has {sorted(parts)}")
