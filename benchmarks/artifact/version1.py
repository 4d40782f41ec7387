"""Reads artifacts of version 1, which are not written any more: a safetensors container whose metadata is JSON.

An array that is stored densely is a plain tensor under its own path, "params/conv1/kernel". Any other leaf is described
in the metadata by a `Leaf` and stored as tensors named after it:

    path              kept values, float32; or codes minus `low`, a bit stream (see `bits.py`)
    path:mask         which elements are kept, a bit stream; or
    path:gaps         zeros skipped before each kept value, a bit stream
    path:scale        float32
    path:zero_point   smallest dtype that holds it; absent if it is zeros in the shape of the scale
"""

import hashlib
import math
import os
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import msgspec
import numpy as np
from safetensors import safe_open

from benchmarks.artifact.bits import unpack, width
from benchmarks.artifact.header import Count, Net, to_json, typed_specs
from methods.transforms.grids import FLOAT_BITS, Quantized, Quantizer
from methods.transforms.transform import Transform

KEY = "slimbench"
Width = Annotated[int, msgspec.Meta(ge=1, le=32)]
Code = Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)]
Parts = Mapping[str, np.ndarray]


class Leaf(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Description of a leaf: what its tensors do not say themselves."""

    shape: tuple[Count, ...]
    form: Literal["dense", "mask", "gaps"] = "dense"
    kept: Count | None = None  # number of stored values, if not dense
    gap_bits: Width | None = None  # width of a gap
    bits: Width | None = None  # width of a code; None for float32
    low: Code = 0  # smallest code
    dtype: Literal["float16", "bfloat16"] | None = None  # of the weight that codes stand for; None for float32


class Grid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The grid of a module's input."""

    bits: int
    low: int
    high: int
    signed: bool
    rounding: Literal["half_even"]
    scale: float | list
    zero_point: float | list


class Metadata(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it. The order of fields is that of the text."""

    version: int
    net: Net
    input: Any  # an `Input`, or a tree of them
    leaves: dict[str, Leaf]
    activations: dict[str, Grid]
    sha256: str = ""


class Found(NamedTuple):
    """Content of a file."""

    metadata: Metadata
    tensors: dict[str, np.ndarray]
    parts: dict[str, Parts]  # by path of the leaf, in order of path

    def claimed(self) -> dict[str, jax.ShapeDtypeStruct]:
        """Returns shape and dtype of each weight as its description has them, else as its tensor has."""
        return {path: _claimed(self.metadata.leaves.get(path), own) for path, own in self.parts.items()}

    def leaves(self) -> dict[str, Any]:
        """Returns the weights by path. Raises ValueError, naming the weight, if a description does not fit."""
        return {path: _decode(path, self.metadata.leaves.get(path), own) for path, own in self.parts.items()}

    def inputs(self) -> dict[str, tuple[Transform, ...]]:
        """Returns the grid of each input. Raises ValueError, naming the module, if one contradicts itself."""
        return {module: (_grid(module, grid),) for module, grid in self.metadata.activations.items()}


def load(path: str | os.PathLike) -> Found:
    """Returns what the file at `path` holds.

    Raises ValueError, MsgspecError or SafetensorError if it is no artifact of version 1.
    """
    with safe_open(path, framework="np") as file:
        text = (file.metadata() or {}).get(KEY)
        if text is None:
            raise ValueError(f"no slimbench artifact: the metadata has no key {KEY!r}")
        metadata = msgspec.json.decode(text, type=Metadata)
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    metadata = msgspec.structs.replace(metadata, input=typed_specs(metadata.input))
    if metadata.version != 1 or digest(metadata, tensors) != metadata.sha256:
        raise ValueError("content does not match its SHA-256; the file is corrupt")
    parts: dict[str, dict[str, np.ndarray]] = {path: {} for path in metadata.leaves}
    for name, tensor in tensors.items():
        leaf, _, part = name.partition(":")
        parts.setdefault(leaf, {})[part] = tensor
    return Found(metadata, tensors, dict(sorted(parts.items())))


def digest(metadata: Metadata, tensors: Parts) -> str:
    """Returns the SHA-256 of the metadata without its digest, then of every tensor in order of name."""
    sha = hashlib.sha256(to_json(msgspec.structs.replace(metadata, sha256="")))
    for name, tensor in sorted(tensors.items()):
        dtype = tensor.dtype.name if tensor.dtype.kind == "V" else tensor.dtype.str  # NumPy calls bfloat16 "<V2"
        sha.update(f"{name} {dtype} {tensor.shape}\n".encode())
        sha.update(tensor.tobytes())
    return sha.hexdigest()


def _claimed(leaf: Leaf | None, parts: Parts) -> jax.ShapeDtypeStruct:
    if leaf:
        return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype or np.float32)
    values = parts.get("", np.empty(0))
    return jax.ShapeDtypeStruct(values.shape, values.dtype)


def _grid(module: str, grid: Grid) -> Quantizer:
    try:
        fields = [np.asarray(field, np.float32) for field in (grid.scale, grid.zero_point, grid.low, grid.high)]
        quantizer = Quantizer(*map(jnp.asarray, fields), blocks=None)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"activations/{module}: {error}") from None
    bits = min(FLOAT_BITS, width(grid.high - grid.low + 1))
    finite = all(np.isfinite(field).all() for field in jax.tree.leaves(quantizer))
    if not finite or (bits, grid.low < 0) != (grid.bits, grid.signed):
        raise ValueError(f"activations/{module}: bits, bounds and signs contradict one another: {grid}")
    return quantizer


def _decode(path: str, leaf: Leaf | None, parts: Parts) -> Any:
    try:
        return _array(leaf, parts) if leaf is None or leaf.bits is None else _quantized(leaf, parts)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _array(leaf: Leaf | None, parts: Parts) -> jax.Array:
    if leaf is None:
        _expect(parts, {""})
        return jnp.asarray(parts[""])
    _expect(parts, {"", leaf.form} - {"dense"})
    kept = np.ascontiguousarray(_typed(parts, "", np.float32)).view(np.uint32)
    return jnp.asarray(_restore(leaf, parts, kept, 0).view(np.float32).reshape(leaf.shape))


def _quantized(leaf: Leaf, parts: Parts) -> Quantized:
    _expect(parts, {"", leaf.form, "scale"} - {"dense"})
    assert leaf.bits is not None
    scale = _typed(parts, "scale", np.float32)
    zero_point = parts.get("zero_point", np.zeros_like(scale))
    if zero_point.dtype.kind not in "iuf":
        raise ValueError(f"zero_point should be numbers, not {zero_point.dtype}")
    zero_point = zero_point.astype(np.float32)
    for name, array in (("scale", scale), ("zero_point", zero_point)):
        if array.ndim > len(leaf.shape) or any(
            n not in (1, m) for n, m in zip(reversed(array.shape), reversed(leaf.shape), strict=False)
        ):
            raise ValueError(f"{name} of shape {array.shape} does not broadcast against {leaf.shape}")
    kept = unpack(_typed(parts, "", np.uint8), leaf.bits, _stored(leaf))
    first = zero_point.flat[0] if zero_point.size else 0
    values = _restore(leaf, parts, kept, float(first) - leaf.low if (zero_point == first).all() else None)
    codes = (values.astype(np.int64) + leaf.low).astype(np.int32).reshape(leaf.shape)
    own = {"bits": leaf.bits, "low": leaf.low, "dtype": leaf.dtype or "float32"}
    return Quantized(jnp.asarray(codes), jnp.asarray(scale), jnp.asarray(zero_point), **own)


def _restore(leaf: Leaf, parts: Parts, kept: np.ndarray, zero: float | None) -> np.ndarray:
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


def _positions(leaf: Leaf, parts: Parts) -> np.ndarray:
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


def _stored(leaf: Leaf) -> int:
    count = math.prod(leaf.shape) if leaf.form == "dense" else leaf.kept
    if count is None:
        raise ValueError(f"is {leaf.form} but does not say how many values are kept")
    return count


def _typed(parts: Parts, part: str, dtype: Any) -> np.ndarray:
    if parts[part].dtype != dtype:
        raise ValueError(f"{part or 'values'} should be {np.dtype(dtype)}, not {parts[part].dtype}")
    return parts[part]


def _expect(parts: Parts, needed: set[str]) -> None:
    optional = {"zero_point"} if "scale" in needed else set()
    if needed - set(parts) or set(parts) - needed - optional:
        raise ValueError(f"should have parts {sorted(needed)}, has {sorted(parts)}")
