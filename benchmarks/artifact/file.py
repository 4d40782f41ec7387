"""The artifact: what ships, as one file. Every size on the board is read off it.

    "SLIM", 2      5 bytes: the format and its version
    digest        16 bytes: of SHA-256 over the rest of the file
    layout         4 bytes: of SHA-256 over names, dtypes and shapes of all variables, which the file does not hold
    length         of the head, times 2, + 1 if it is compressed by zlib, which is done where that is smaller
    head           the net and its input, JSON (see `header.py`)
    body           weights and transforms (see `content.py`, `body.py`)

A digest of 16 bytes finds any damage; it keeps nobody from making a file, which a longer one would not either. The same
input gives the same bytes. A file is trusted in nothing: its variables are those that its net initializes.
"""

import hashlib
import math
import os
import zlib
from collections.abc import Mapping
from typing import NamedTuple

import jax
import msgspec
from safetensors import SafetensorError

from benchmarks.artifact import version1
from benchmarks.artifact.body import FREE, RATIO, Source, number
from benchmarks.artifact.content import decode, encode, kinds
from benchmarks.artifact.grids import modules
from benchmarks.artifact.header import Header, from_json, from_net, from_specs, initialized, to_json, to_net, to_specs
from leaderboard.record.atomic import write_atomically
from methods.base import PyTree, Shipped
from methods.paths import flatten, unflatten
from methods.transforms.transform import unpack

MAGIC, VERSION = b"SLIM", 2
HEAD = 1 << 20
"""Bytes that the head may have."""


class ArtifactError(ValueError):
    """A file that is no artifact, or no longer one; the message names the file and the weight."""


class Artifact(NamedTuple):
    """What `read_artifact` returns."""

    shipped: Shipped
    example: PyTree  # one input of the net, jax.ShapeDtypeStruct [1, ...], or a tree of them
    payload: int  # bytes of the file that are values: codes, gaps, tables, scales, zero points


def write_artifact(path: str | os.PathLike, shipped: Shipped, example: PyTree) -> None:
    """Writes the artifact, atomically.

    Args:
        path: of the file.
        shipped: what it holds.
        example: an input of the net.

    Raises ValueError as `packed` does.
    """
    write_atomically(path, packed(shipped, example))


def packed(shipped: Shipped, example: PyTree) -> bytes:
    """Returns the content of the artifact.

    Args:
        shipped: what it holds.
        example: an input of the net, array [B, ...] or a tree of dicts, tuples and lists of them. Its shapes and
            dtypes are kept; B is free, and lists are read back as tuples.

    Raises ValueError, naming the leaf, if one is not what the net initializes there, in name, shape and dtype, or its
    codes do not fit; and if the net is not in `tasks.nets.NETS` or has fields that JSON cannot hold.
    """
    net, specs = to_net(shipped.net), to_specs(example)
    leaves, expected = flatten(shipped.variables), initialized(shipped.net, specs)
    _check(expected, {name: jax.eval_shape(unpack, one) for name, one in leaves.items()})
    named = sorted(shipped.inputs.keys() - set(modules(expected, ())))
    listed = kinds(leaves, shipped.inputs)
    text, zipped = _shorter(to_json(Header(net, specs, tuple(named), listed)))
    body = encode(leaves, shipped.inputs, modules(expected, named), listed)
    rest = _layout(expected) + number(2 * len(text) + zipped) + text + body
    return MAGIC + bytes([VERSION]) + _digest(rest) + rest


def read_artifact(path: str | os.PathLike) -> Artifact:
    """Returns the artifact at `path`.

    Raises ArtifactError if the file is truncated, corrupt, foreign or crafted; OSError if it cannot be opened.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
        return _read(data) if data.startswith(MAGIC) else _read_version1(path, len(data))
    except OSError:
        raise
    except Exception as error:  # whoever crafts a file chooses where it breaks
        known = isinstance(error, ValueError | SafetensorError | msgspec.MsgspecError)
        said = str(error) if known else f"{type(error).__name__}: {error}"
        raise ArtifactError(f"{path}: {' '.join(said.split())}") from error


def _read(data: bytes) -> Artifact:
    version, digest, layout = data[4:5], data[5:21], data[21:25]
    if version != bytes([VERSION]):
        raise ValueError(f"artifact version is {version[0] if version else 'missing'}, this code reads 1 and {VERSION}")
    if digest != _digest(data[21:]):
        raise ValueError("content does not match its SHA-256; the file is corrupt")
    source = Source(data, 25)
    header = from_json(_text(source))
    net = from_net(header.net)
    expected = initialized(net, header.input)
    if layout != _layout(expected):
        raise ValueError(f"net {header.net.name} has other variables by now than those that the file holds")
    _check_size(expected, len(data))
    leaves, inputs, payload = decode(source, expected, modules(expected, header.modules), header.kinds)
    return Artifact(Shipped(net, unflatten(leaves), inputs), from_specs(header.input), payload)


def _read_version1(path: str | os.PathLike, size: int) -> Artifact:
    found = version1.load(path)
    net = from_net(found.metadata.net)
    expected = initialized(net, found.metadata.input)
    _check(expected, found.claimed())
    _check_size(expected, size)
    shipped = Shipped(net, unflatten(found.leaves()), found.inputs())
    return Artifact(shipped, from_specs(found.metadata.input), sum(tensor.nbytes for tensor in found.tensors.values()))


def _digest(rest: bytes) -> bytes:
    return hashlib.sha256(MAGIC + bytes([VERSION]) + rest).digest()[:16]


def _layout(expected: Mapping[str, jax.ShapeDtypeStruct]) -> bytes:
    names = "".join(f"{path} {leaf.dtype} {leaf.shape}\n" for path, leaf in expected.items())
    return hashlib.sha256(names.encode()).digest()[:4]


def _shorter(text: bytes) -> tuple[bytes, bool]:
    """Returns (text, whether it is compressed) as it has fewer bytes."""
    packed = zlib.compress(text, 9)
    return (packed, True) if len(packed) < len(text) else (text, False)


def _text(source: Source) -> bytes:
    length, zipped = divmod(source.number(), 2)
    text = source.take(length).tobytes()
    if not zipped:
        return text
    unpacker = zlib.decompressobj()
    text = unpacker.decompress(text, HEAD)
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError(f"the head is damaged, or has more than {HEAD} bytes")
    return text


def _check_size(expected: Mapping[str, jax.ShapeDtypeStruct], size: int) -> None:
    count = sum(math.prod(leaf.shape) for leaf in expected.values())
    if count > FREE + RATIO * size:
        raise ValueError(f"{size} bytes hold no net of {count} weights")


def _check(expected: Mapping[str, jax.ShapeDtypeStruct], claimed: Mapping[str, jax.ShapeDtypeStruct]) -> None:
    """Raises ValueError unless `claimed` {path: shape and dtype} is what the net initializes, which is `expected`."""
    if expected.keys() != claimed.keys():
        raise ValueError(f"variables {sorted(expected.keys() ^ claimed.keys())} are not those of the net, or missing")
    for name, leaf in claimed.items():
        theirs, ours = ((a.shape, str(a.dtype)) for a in (expected[name], leaf))
        if theirs != ours:
            raise ValueError(f"{name}: is {ours[1]} of shape {ours[0]}; in the net it is {theirs[1]} of {theirs[0]}")
