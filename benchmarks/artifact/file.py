"""The artifact: what ships, as one file in the safetensors container. Every size on the board is read off it.

An array that is stored densely is a plain tensor under its own path, "params/conv1/kernel"; for paths, see
`methods.paths.join`. Any other leaf is described in the metadata by a `Leaf` (see `leaf.py`) and stored as tensors
named after it:

    path              kept values, float32; or codes minus `low`, a bit stream (see `bits.py`)
    path:mask         which elements are kept, a bit stream; or
    path:gaps         zeros skipped before each kept value, a bit stream
    path:scale        float32
    path:zero_point   smallest dtype that holds it; absent if it is zeros in the shape of the scale

The metadata (see `metadata.py`) is one JSON text under the key "slimbench". The same input gives the same bytes.

A file is trusted in nothing: its variables must be those that its net initializes, in name, shape and dtype.
"""

import os
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import msgspec
import numpy as np
from flax import linen as nn
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from benchmarks.artifact.leaf import Leaf, decode, encode
from benchmarks.artifact.metadata import (
    VERSION,
    Metadata,
    digest,
    from_grid,
    from_json,
    from_net,
    from_specs,
    to_grid,
    to_json,
    to_net,
    to_specs,
    typed_specs,
)
from leaderboard.record.atomic import write_atomically
from methods.arrays.uniform import unpack
from methods.base import PyTree, Shipped
from methods.flaxnet import fresh
from methods.paths import flatten, unflatten

KEY = "slimbench"


class ArtifactError(ValueError):
    """A file that is no artifact, or no longer one; the message names the file and the tensor."""


class Artifact(NamedTuple):
    """What `read_artifact` returns."""

    shipped: Shipped
    example: PyTree  # one input of the net, jax.ShapeDtypeStruct [1, ...], or a tree of them


def write_artifact(path: str | os.PathLike, shipped: Shipped, example: PyTree) -> None:
    """Writes the artifact, atomically.

    Args:
        path: of the file.
        shipped: what it holds.
        example: an input of the net, array [B, ...] or a tree of dicts, tuples and lists of them. Its shapes and
            dtypes are kept; B is free, and lists are read back as tuples.

    Raises ValueError, naming the leaf, if one is not what the net initializes there, in name, shape and dtype, or its
    codes do not fit; and if the net is not in `tasks.nets.NETS` or has fields that JSON cannot hold.
    """
    net, specs = to_net(shipped.net), to_specs(example)
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
    grids = {name: to_grid(name, quantizer) for name, quantizer in shipped.inputs.items()}
    metadata = Metadata(VERSION, net, specs, leaves, grids)
    metadata = msgspec.structs.replace(metadata, sha256=digest(metadata, tensors))
    # One key only: safetensors writes several in no fixed order.
    write_atomically(path, save(tensors, {KEY: to_json(metadata).decode()}))


def read_artifact(path: str | os.PathLike) -> Artifact:
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


def _read(path: str | os.PathLike) -> Artifact:
    metadata, tensors = _load(path)
    net = from_net(metadata.net)
    parts = _by_leaf(metadata.leaves, tensors)
    _check(net, metadata.input, {name: _claimed(metadata.leaves.get(name), own) for name, own in parts.items()})
    variables = unflatten({name: _decode(name, metadata.leaves.get(name), own) for name, own in parts.items()})
    inputs = {name: from_grid(name, grid) for name, grid in metadata.activations.items()}
    return Artifact(Shipped(net, variables, inputs), from_specs(metadata.input))


def _load(path: str | os.PathLike) -> tuple[Metadata, dict[str, np.ndarray]]:
    with safe_open(path, framework="np") as file:
        text = (file.metadata() or {}).get(KEY)
        if text is None:
            raise ValueError(f"no slimbench artifact: the metadata has no key {KEY!r}")
        metadata = from_json(text)
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    if digest(metadata, tensors) != metadata.sha256:
        raise ValueError("content does not match its SHA-256; the file is corrupt")
    return metadata, tensors


def _by_leaf(leaves: dict[str, Leaf], tensors: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """Returns {path: {part: tensor}} in order of path."""
    parts: dict[str, dict[str, np.ndarray]] = {name: {} for name in leaves}
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


def _decode(name: str, leaf: Leaf | None, parts: dict[str, np.ndarray]) -> Any:
    try:
        return decode(leaf, parts)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _check(net: nn.Module, specs: PyTree, claimed: dict[str, jax.ShapeDtypeStruct]) -> None:
    """Raises ValueError unless `claimed` {path: shape and dtype} is what `net` initializes."""
    expected = _initialized(net, to_json(specs))
    if expected.keys() != claimed.keys():
        raise ValueError(f"variables {sorted(expected.keys() ^ claimed.keys())} are not those of the net, or missing")
    for name, leaf in claimed.items():
        theirs, ours = ((a.shape, str(a.dtype)) for a in (expected[name], leaf))
        if theirs != ours:
            raise ValueError(f"{name}: is {ours[1]} of shape {ours[0]}; in the net it is {theirs[1]} of {theirs[0]}")


@lru_cache(maxsize=64)
def _initialized(net: nn.Module, specs: bytes) -> dict[str, jax.ShapeDtypeStruct]:
    x = from_specs(typed_specs(msgspec.json.decode(specs)))
    return flatten(fresh.eval_shape(net, jax.random.key(0), x))
