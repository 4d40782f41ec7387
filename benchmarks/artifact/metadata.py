"""The metadata of an artifact: one JSON text that says what the tensors beside it do not say themselves.

It holds the net, its input, a `Leaf` for each weight that is no plain tensor, the grids of module inputs, and a SHA-256
over all of it and all tensors.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Literal

import jax
import jax.numpy as jnp
import msgspec
import numpy as np
from flax import linen as nn

from benchmarks.artifact.bits import width
from benchmarks.artifact.leaf import Count, Leaf
from methods.arrays.uniform import FLOAT_BITS, Quantizer
from methods.base import PyTree
from tasks.nets.spec import check_net, net_from_json, net_to_json

VERSION = 1


class Net(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A net of `tasks.nets.NETS`."""

    fields: dict[str, Any]
    name: str


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One array of a net's input, without its batch axis."""

    shape: tuple[Count, ...]
    dtype: str


class Grid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The grid of a module's input: all that an exporter to another engine needs."""

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


class _Version(msgspec.Struct):
    version: int


def to_json(value: Any) -> bytes:
    """Returns the one JSON text of `value`. Raises ValueError if it holds what JSON cannot."""
    try:
        return msgspec.json.encode(value, order="deterministic")
    except TypeError as error:
        raise ValueError(f"JSON cannot hold the fields of the net, or the containers of its input: {error}") from None


def from_json(text: str | bytes) -> Metadata:
    """Returns the metadata of a text. Raises ValueError or MsgspecError if it is of another version or shape."""
    version = msgspec.json.decode(text, type=_Version).version
    if version != VERSION:
        raise ValueError(f"artifact version is {version}, this code reads {VERSION}")
    metadata = msgspec.json.decode(text, type=Metadata)
    return msgspec.structs.replace(metadata, input=typed_specs(metadata.input))


def digest(metadata: Metadata, tensors: Mapping[str, np.ndarray]) -> str:
    """Returns the SHA-256 of the metadata without its digest, then of every tensor in order of name."""
    sha = hashlib.sha256(to_json(msgspec.structs.replace(metadata, sha256="")))
    for name, tensor in sorted(tensors.items()):
        dtype = tensor.dtype.name if tensor.dtype.kind == "V" else tensor.dtype.str  # NumPy calls bfloat16 "<V2"
        sha.update(f"{name} {dtype} {tensor.shape}\n".encode())
        sha.update(tensor.tobytes())
    return sha.hexdigest()


def to_net(net: nn.Module) -> Net:
    """Returns the description of `net`. Raises ValueError if the net cannot be built again from it."""
    check_net(net)
    return Net(**net_to_json(net))


def from_net(spec: Net) -> nn.Module:
    """Returns the net. Raises ValueError if it is not known or its fields do not fit."""
    return net_from_json(msgspec.to_builtins(spec))


def to_specs(x: PyTree) -> PyTree:
    """Returns the `Input`s of `x`, an array [B, ...] or a tree of them."""
    return jax.tree.map(lambda a: Input(a.shape[1:], str(a.dtype)), x)


def from_specs(specs: PyTree) -> PyTree:
    """Returns one example of an input, jax.ShapeDtypeStruct [1, ...] or a tree of them."""
    return jax.tree.map(lambda spec: jax.ShapeDtypeStruct((1, *spec.shape), jnp.dtype(spec.dtype)), specs)


def typed_specs(read: Any) -> PyTree:
    """Returns the `Input`s of what was read from JSON; one array's is told from a dict of arrays by its dtype."""
    if isinstance(read, dict) and not isinstance(read.get("dtype"), str):
        return {name: typed_specs(child) for name, child in read.items()}
    if isinstance(read, list):
        return tuple(map(typed_specs, read))
    return None if read is None else msgspec.convert(read, Input)


def to_grid(name: str, q: Quantizer) -> Grid:
    """Returns the description of a grid. Raises ValueError if it is not finite."""
    if not all(np.isfinite(field).all() for field in q):
        raise ValueError(f"activations/{name}: grid is not finite: {q}")
    low, high = int(q.low), int(q.high)
    bits = min(FLOAT_BITS, width(high - low + 1))
    scale, zero_point = (np.asarray(field, np.float32).tolist() for field in (q.scale, q.zero_point))
    return Grid(bits, low, high, low < 0, "half_even", scale, zero_point)


def from_grid(name: str, grid: Grid) -> Quantizer:
    """Returns the grid. Raises ValueError if its description is no grid or contradicts itself."""
    try:
        fields = (grid.scale, grid.zero_point, grid.low, grid.high)
        quantizer = Quantizer(*(jnp.asarray(np.asarray(field, np.float32)) for field in fields))
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"activations/{name}: {error}") from None
    if to_grid(name, quantizer) != grid:
        raise ValueError(f"activations/{name}: bits, bounds and signs contradict one another: {grid}")
    return quantizer
