"""The head of an artifact: which net it is of, and what its input looks like, as JSON.

    {"input": {"dtype": "float32", "shape": [784]}, "net": {"fields": {...}, "name": "MLP"}}

The input is one such array, without its batch axis, or a tree of them. A third key, "modules", lists the paths of those
modules with transformed inputs that hold no weights, "path:1" for a second input; a fourth, "kinds", those of packed
weights and of transforms (see `parts.py`).
"""

from functools import lru_cache
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import msgspec
from flax import linen as nn

from methods.base import PyTree
from methods.flaxnet import fresh
from methods.paths import flatten
from tasks.nets.spec import check_net, net_from_json, net_to_json

Count = Annotated[int, msgspec.Meta(ge=0)]


class Net(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A net of `tasks.nets.NETS`."""

    fields: dict[str, Any]
    name: str


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One array of a net's input, without its batch axis."""

    shape: tuple[Count, ...]
    dtype: str


class Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A class of packed weights or of transforms with its static fields."""

    name: str
    facts: dict[str, Any]


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """All of it."""

    net: Net
    input: Any  # an `Input`, or a tree of them
    modules: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()


def to_json(value: Any) -> bytes:
    """Returns the one JSON text of `value`. Raises ValueError if it holds what JSON cannot."""
    try:
        return msgspec.json.encode(value, order="deterministic")
    except TypeError as error:
        raise ValueError(f"JSON cannot hold the fields of the net, or the containers of its input: {error}") from None


def from_json(text: bytes) -> Header:
    """Returns the header of a text. Raises ValueError or MsgspecError if it is of another shape."""
    header = msgspec.json.decode(text, type=Header)
    return msgspec.structs.replace(header, input=typed_specs(header.input))


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


def initialized(net: nn.Module, specs: PyTree) -> dict[str, jax.ShapeDtypeStruct]:
    """Returns shape and dtype of each variable of a net on such an input, by path and in order of path."""
    return _initialized(net, to_json(specs))


@lru_cache(maxsize=64)
def _initialized(net, specs):
    x = from_specs(typed_specs(msgspec.json.decode(specs)))
    return dict(sorted(flatten(fresh.eval_shape(net, jax.random.key(0), x)).items()))
