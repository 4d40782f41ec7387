"""The artifact: what ships, as one file in the safetensors container. Every size on the board is read off it.

An array that is stored densely is a plain tensor under its own path, "params/conv1/kernel"; for paths, see
`methods.base.join`. Any other leaf is described in the metadata by a `Leaf` (see `benchmarks/leaf.py`) and stored as
tensors named after it:

    path              kept values, float32; or codes minus `low`, a bit stream (see `benchmarks/packing.py`)
    path:mask         which elements are kept, a bit stream; or
    path:gaps         zeros skipped before each kept value, a bit stream
    path:scale        float32
    path:zero_point   smallest dtype that holds it; absent if it is zeros in the shape of the scale

The metadata is one JSON text under the key "slimbench": net, input, leaves, the grids of module inputs, and a SHA-256
over all of it and all tensors. The same input gives the same bytes.

A file is trusted in nothing: its variables must be those that its net initializes, in name, shape and dtype.
"""

import hashlib
import os
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import msgspec
import numpy as np
from flax import linen as nn
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from benchmarks.leaf import Count, Leaf, decode, encode
from benchmarks.packing import width
from leaderboard.record.atomic import write_atomically
from methods.arrays.quantizer import FLOAT_BITS, Quantizer, unpack
from methods.base import PyTree, Shipped, flatten, fresh, unflatten
from tasks.nets.spec import check_net, net_from_json, net_to_json

KEY = "slimbench"
VERSION = 1


class ArtifactError(ValueError):
    """A file that is no artifact, or no longer one; the message names the file and the tensor."""


class Artifact(NamedTuple):
    """What `read` returns."""

    shipped: Shipped
    example: PyTree  # one input of the net, jax.ShapeDtypeStruct [1, ...], or a tree of them


class _Grid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The grid of a module's input: all that an exporter to another engine needs."""

    bits: int
    low: int
    high: int
    signed: bool
    rounding: Literal["half_even"]
    scale: float | list
    zero_point: float | list


class _Net(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    fields: dict[str, Any]
    name: str


class _Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One array of a net's input, without its batch axis."""

    shape: tuple[Count, ...]
    dtype: str


class _Metadata(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    net: _Net
    input: Any  # an `_Input` or a tree of them
    leaves: dict[str, Leaf]
    activations: dict[str, _Grid]
    sha256: str = ""


class _Version(msgspec.Struct):
    version: int


def write(path: str | os.PathLike, shipped: Shipped, example: PyTree) -> None:
    """Writes the artifact, atomically.

    Args:
        path: of the file.
        shipped: what it holds.
        example: an input of the net, array [B, ...] or a tree of dicts, tuples and lists of them. Its shapes and
            dtypes are kept; B is free, and lists are read back as tuples.

    Raises ValueError, naming the leaf, if one is not what the net initializes there, in name, shape and dtype, or its
    codes do not fit; and if the net is not in `tasks.nets.spec.NETS` or has fields that JSON cannot hold.
    """
    net, specs = _named(shipped.net), _to_specs(example)
    flat = flatten(shipped.variables)
    _check(shipped.net, specs, {name: jax.eval_shape(unpack, leaf) for name, leaf in flat.items()})
    leaves, tensors = {}, {}
    for name, leaf in flat.items():
        try:
            description, parts = encode(leaf)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        leaves |= {name: description} if description else {}
        tensors |= {f"{name}:{part}".rstrip(":"): np.asarray(array, order="C") for part, array in parts.items()}
    grids = {name: _to_grid(name, quantizer) for name, quantizer in shipped.inputs.items()}
    metadata = _Metadata(VERSION, net, specs, leaves, grids)
    metadata = msgspec.structs.replace(metadata, sha256=_digest(metadata, tensors))
    # One key only: safetensors writes several in no fixed order.
    write_atomically(path, save(tensors, {KEY: _json(metadata).decode()}))


def read(path: str | os.PathLike) -> Artifact:
    """Returns the artifact at `path`.

    Raises ArtifactError if the file is truncated, corrupt, foreign or crafted; OSError if it cannot be opened.
    """
    try:
        return _read(path)
    except OSError:
        raise
    except Exception as error:  # whoever crafts a file chooses where it breaks
        known = isinstance(error, ValueError | SafetensorError | msgspec.MsgspecError)
        said = str(error) if known else f"{type(error).__name__}: {error}"
        raise ArtifactError(f"{path}: {' '.join(said.split())}") from error


def _read(path) -> Artifact:
    metadata, tensors = _load(path)
    net = net_from_json(msgspec.to_builtins(metadata.net))
    parts = _by_leaf(metadata.leaves, tensors)
    _check(net, metadata.input, {name: _claimed(metadata.leaves.get(name), own) for name, own in parts.items()})
    variables = unflatten({name: _decode(name, metadata.leaves.get(name), own) for name, own in parts.items()})
    inputs = {name: _from_grid(name, grid) for name, grid in metadata.activations.items()}
    return Artifact(Shipped(net, variables, inputs), _from_specs(metadata.input))


def _named(net: nn.Module) -> _Net:
    check_net(net)
    return _Net(**net_to_json(net))


def _load(path) -> tuple[_Metadata, dict[str, np.ndarray]]:
    with safe_open(path, framework="np") as file:
        text = (file.metadata() or {}).get(KEY)
        if text is None:
            raise ValueError(f"no slimbench artifact: the metadata has no key {KEY!r}")
        version = msgspec.json.decode(text, type=_Version).version
        if version != VERSION:
            raise ValueError(f"artifact version is {version}, this code reads {VERSION}")
        metadata = msgspec.json.decode(text, type=_Metadata)
        metadata = msgspec.structs.replace(metadata, input=_typed_specs(metadata.input))
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    if _digest(metadata, tensors) != metadata.sha256:
        raise ValueError("content does not match its SHA-256; the file is corrupt")
    return metadata, tensors


def _by_leaf(leaves: dict[str, Leaf], tensors: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """Returns {path: {part: tensor}} in order of path."""
    parts = {name: {} for name in leaves}
    for name, tensor in tensors.items():
        leaf, _, part = name.partition(":")
        parts.setdefault(leaf, {})[part] = tensor
    return dict(sorted(parts.items()))


def _claimed(leaf: Leaf | None, parts: dict[str, np.ndarray]) -> jax.ShapeDtypeStruct:
    """Returns shape and dtype of a weight as its description has them, else as its tensor has."""
    if leaf:
        return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype or np.float32)
    values = parts.get("", np.empty(0))
    return jax.ShapeDtypeStruct(values.shape, values.dtype)


def _decode(name: str, leaf: Leaf | None, parts: dict[str, np.ndarray]):
    try:
        return decode(leaf, parts)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _check(net: nn.Module, specs: PyTree, claimed: dict[str, jax.ShapeDtypeStruct]) -> None:
    """Raises ValueError unless `claimed` {path: shape and dtype} is what `net` initializes."""
    expected = _initialized(net, _json(specs))
    if expected.keys() != claimed.keys():
        raise ValueError(f"variables {sorted(expected.keys() ^ claimed.keys())} are not those of the net, or missing")
    for name, leaf in claimed.items():
        theirs, ours = ((a.shape, str(a.dtype)) for a in (expected[name], leaf))
        if theirs != ours:
            raise ValueError(f"{name}: is {ours[1]} of shape {ours[0]}; in the net it is {theirs[1]} of {theirs[0]}")


@lru_cache(maxsize=64)
def _initialized(net: nn.Module, specs: bytes) -> dict[str, jax.ShapeDtypeStruct]:
    x = _from_specs(_typed_specs(msgspec.json.decode(specs)))
    return flatten(fresh.eval_shape(net, jax.random.key(0), x))


def _to_specs(x: PyTree) -> PyTree:
    return jax.tree.map(lambda a: _Input(a.shape[1:], str(a.dtype)), x)


def _from_specs(specs: PyTree) -> PyTree:
    return jax.tree.map(lambda spec: jax.ShapeDtypeStruct((1, *spec.shape), jnp.dtype(spec.dtype)), specs)


def _typed_specs(read) -> PyTree:
    """Returns the `_Input`s of what was read from JSON; one array's is told from a dict of arrays by its dtype."""
    if isinstance(read, dict) and not isinstance(read.get("dtype"), str):
        return {name: _typed_specs(child) for name, child in read.items()}
    if isinstance(read, list):
        return tuple(map(_typed_specs, read))
    return None if read is None else msgspec.convert(read, _Input)


def _to_grid(name: str, q: Quantizer) -> _Grid:
    if not all(np.isfinite(field).all() for field in q):
        raise ValueError(f"activations/{name}: grid is not finite: {q}")
    low, high = int(q.low), int(q.high)
    bits = min(FLOAT_BITS, width(high - low + 1))
    scale, zero_point = (np.asarray(field, np.float32).tolist() for field in (q.scale, q.zero_point))
    return _Grid(bits, low, high, low < 0, "half_even", scale, zero_point)


def _from_grid(name: str, grid: _Grid) -> Quantizer:
    try:
        fields = (grid.scale, grid.zero_point, grid.low, grid.high)
        quantizer = Quantizer(*(jnp.asarray(np.asarray(field, np.float32)) for field in fields))
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"activations/{name}: {error}") from None
    if _to_grid(name, quantizer) != grid:
        raise ValueError(f"activations/{name}: bits, bounds and signs contradict one another: {grid}")
    return quantizer


def _json(value) -> bytes:
    try:
        return msgspec.json.encode(value, order="deterministic")
    except TypeError as error:
        raise ValueError(f"JSON cannot hold the fields of the net, or the containers of its input: {error}") from None


def _digest(metadata: _Metadata, tensors: dict[str, np.ndarray]) -> str:
    """SHA-256 of the metadata without its digest, then of every tensor in order of name."""
    digest = hashlib.sha256(_json(msgspec.structs.replace(metadata, sha256="")))
    for name, tensor in sorted(tensors.items()):
        dtype = tensor.dtype.name if tensor.dtype.kind == "V" else tensor.dtype.str  # NumPy calls bfloat16 "<V2"
        digest.update(f"{name} {dtype} {tensor.shape}\n".encode())
        digest.update(tensor.tobytes())
    return digest.hexdigest()
