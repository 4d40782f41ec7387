"""The artifact: what ships, as one file in the safetensors container. Every size on the board is read off it.

A float32 leaf that is stored densely is a plain tensor under its own path, "params/conv1/kernel". Any other leaf is
described in the metadata by a `Leaf` (see `benchmarks/leaf.py`) and stored as tensors named after it:

    path              kept values, float32; or codes minus `low`, a bit stream (see `benchmarks/packing.py`)
    path:mask         which elements are kept, a bit stream; or
    path:gaps         zeros skipped before each kept value, a bit stream
    path:scale        float32
    path:zero_point   smallest dtype that holds it; absent if it is zeros in the shape of the scale

The metadata is one JSON text under the key "slimbench": net, input, leaves, the grids of module inputs, and a SHA-256
over all of it and all tensors. The same input gives the same bytes.
"""

import hashlib
import os
from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
import msgspec
import numpy as np
from flax import traverse_util
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from benchmarks.leaf import Leaf, decode, encode
from benchmarks.packing import width
from leaderboard.record.atomic import write_atomically
from methods.activations import quantize_inputs
from methods.arrays.quantizer import FLOAT_BITS, Quantizer, decoded
from methods.base import flatten
from tasks.nets import net_from_json, net_to_json

KEY = "slimbench"
VERSION = 1


class ArtifactError(ValueError):
    """A file that is no artifact, or no longer one; the message names the file and the tensor."""


class Artifact(NamedTuple):
    """What `read` returns."""

    net: Any
    variables: dict  # float32 or Quantized leaves; "activations" {module path: Quantizer} if inputs are quantized
    shape: tuple[int, ...]  # of one input, without the batch axis
    dtype: str  # of the input


class _Grid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The grid of a module's input: all that an exporter to another engine needs."""

    bits: int
    low: int
    high: int
    signed: bool
    rounding: Literal["half_even"]
    scale: float | list
    zero_point: float | list


class _Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    shape: tuple[int, ...]
    dtype: str


class _Metadata(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    net: dict[str, Any]
    input: _Input
    leaves: dict[str, Leaf]
    activations: dict[str, _Grid]
    sha256: str = ""


class _Version(msgspec.Struct):
    version: int


def write(path: str | os.PathLike, net, variables: dict, example) -> None:
    """Writes the artifact, atomically. `example [B, ...]` gives shape and dtype of the input; B is free.

    Raises ValueError, naming the leaf, if one is neither float32 nor `Quantized` or its codes do not fit; and if
    `net` is not in `tasks.nets.NETS` or has fields that JSON cannot hold.
    """
    leaves, tensors = {}, {}
    for name, leaf in flatten({k: v for k, v in variables.items() if k != "activations"}).items():
        try:
            description, parts = encode(leaf)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        leaves |= {name: description} if description else {}
        tensors |= {f"{name}:{part}".rstrip(":"): np.asarray(array, order="C") for part, array in parts.items()}
    grids = {name: _to_grid(name, quantizer) for name, quantizer in variables.get("activations", {}).items()}
    example = np.asarray(example)
    metadata = _Metadata(VERSION, _named(net), _Input(example.shape[1:], str(example.dtype)), leaves, grids)
    metadata = msgspec.structs.replace(metadata, sha256=_digest(metadata, tensors))
    # One key only: safetensors writes several in no fixed order.
    write_atomically(path, save(tensors, {KEY: _json(metadata).decode()}))


def read(path: str | os.PathLike) -> Artifact:
    """The artifact at `path`. Raises ArtifactError if the file is truncated, corrupt or foreign."""
    try:
        metadata, tensors = _load(path)
        net = net_from_json(metadata.net)
        variables = _decode(metadata.leaves, tensors)
        activations = {name: _from_grid(name, grid) for name, grid in metadata.activations.items()}
    except (SafetensorError, msgspec.MsgspecError, ValueError) as error:
        raise ArtifactError(f"{path}: {' '.join(str(error).split())}") from None
    if activations:
        variables["activations"] = activations
    return Artifact(net, variables, metadata.input.shape, metadata.input.dtype)


def runnable(artifact: Artifact):
    """(net, float32 variables, tap): what `methods.base.forward` takes. The tap rounds module inputs, or is None."""
    activations = artifact.variables.get("activations")
    variables = {name: tree for name, tree in artifact.variables.items() if name != "activations"}
    return artifact.net, decoded(variables), quantize_inputs(activations) if activations else None


def _named(net) -> dict:
    spec = net_to_json(net)
    if net_from_json(msgspec.json.decode(_json(spec))) != net:
        raise ValueError(f"net cannot be built again from its JSON: {net}")
    return spec


def _load(path) -> tuple[_Metadata, dict[str, np.ndarray]]:
    with safe_open(path, framework="np") as file:
        text = (file.metadata() or {}).get(KEY)
        if text is None:
            raise ValueError(f"no slimbench artifact: the metadata has no key {KEY!r}")
        version = msgspec.json.decode(text, type=_Version).version
        if version != VERSION:
            raise ValueError(f"artifact version is {version}, this code reads {VERSION}")
        metadata = msgspec.json.decode(text, type=_Metadata)
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    if _digest(metadata, tensors) != metadata.sha256:
        raise ValueError("content does not match its SHA-256; the file is corrupt")
    return metadata, tensors


def _decode(leaves: dict[str, Leaf], tensors: dict[str, np.ndarray]) -> dict:
    parts = {name: {} for name in leaves}
    for name, tensor in tensors.items():
        leaf, _, part = name.partition(":")
        parts.setdefault(leaf, {})[part] = tensor
    flat = {}
    for name in sorted(parts):
        try:
            flat[name] = decode(leaves.get(name), parts[name])
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return traverse_util.unflatten_dict(flat, sep="/")


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
        return Quantizer(*(jnp.asarray(np.asarray(field, np.float32)) for field in fields))
    except (TypeError, ValueError) as error:
        raise ValueError(f"activations/{name}: {error}") from None


def _json(value) -> bytes:
    return msgspec.json.encode(value, order="deterministic")


def _digest(metadata: _Metadata, tensors: dict[str, np.ndarray]) -> str:
    """SHA-256 of the metadata without its digest, then of every tensor in order of name."""
    digest = hashlib.sha256(_json(msgspec.structs.replace(metadata, sha256="")))
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype.str} {tensor.shape}\n".encode())
        digest.update(tensor.tobytes())
    return digest.hexdigest()
