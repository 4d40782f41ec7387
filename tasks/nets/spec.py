"""Nets by name and as JSON: what an artifact's metadata holds and `net_from_json` builds again.

A net is a Flax Linen module `__call__(x, train)`. Two more methods are for those that can be made narrower:

`groups()` -> {name: Group}: the channels that must live and die together.
`resize(sizes)` -> the same net with the named groups at other sizes.

Its fields are numbers, strings, bools, None, tuples of these, dtypes and functions:

    {"name": "MLP", "fields": {"features": 784, "hidden": [300, 100], "classes": 10}}
    {"dtype": "bfloat16"}              jnp.bfloat16
    {"function": "jax.nn.relu6"}       a public function of one of MODULES
"""

import dataclasses
import json
import math
from typing import Any

import flax.linen
import jax
import jax.numpy as jnp
from flax import linen as nn

NETS: dict[str, type[nn.Module]] = {}
"""Every known class of nets by its name: those of TASKS and their teachers."""

MODULES = {"jax.nn": jax.nn, "flax.linen": flax.linen, "jax.numpy": jnp}
ALLOWED = (
    "numbers, strings, None, tuples of these, dtypes such as jnp.bfloat16 "
    f"and public functions of {', '.join(MODULES)} can be written as JSON"
)


def register(net: type[nn.Module], where: str = "net") -> None:
    """Makes a class of nets known by its name; one that is loaded anew takes its own place.

    Raises ValueError, beginning with `where`, if a class of another module has the name.
    """
    known = NETS.get(net.__name__, net)
    if _origin(known) != _origin(net):
        raise ValueError(
            f"{where}: there is a net {_origin(known)} already; {_origin(net)} must have a name of its own, "
            "by which artifacts name it"
        )
    NETS[net.__name__] = net


def _origin(net):
    return f"{net.__module__}.{net.__qualname__}"


def net_to_json(net: nn.Module) -> dict[str, Any]:
    """Returns {"name": ..., "fields": {...}}. Raises ValueError, naming the field, for what JSON cannot hold."""
    return {
        "name": type(net).__name__,
        "fields": {name: _encode(net, name, getattr(net, name)) for name in _names(net)},
    }


def net_from_json(spec: dict[str, Any]) -> nn.Module:
    """Builds the net of `net_to_json`. Raises ValueError if it is unknown, or names the field that does not fit."""
    name, fields = spec["name"], spec["fields"]
    if name not in NETS:
        raise ValueError(f"unknown net {name!r}; known are {sorted(NETS)}")
    known = _names(NETS[name])
    for field in fields:
        if field not in known:
            raise ValueError(f"net {name}: unknown field {field!r}; its fields are {', '.join(known) or 'none'}")
    values = {field: _decode(name, field, value) for field, value in fields.items()}
    try:
        return NETS[name](**values)
    except TypeError as error:  # says which fields are missing
        raise ValueError(f"net {name}: {error}") from None


def check_net(net: nn.Module) -> None:
    """Raises ValueError, naming the field, unless the net can be hashed and builds again from its JSON."""
    name = type(net).__name__
    if NETS.get(name, type(net)) is not type(net):
        raise ValueError(f"net {name}: {_origin(type(net))} is not the net of that name, {_origin(NETS[name])}")
    again = net_from_json(json.loads(json.dumps(net_to_json(net))))
    for field in _names(net):
        if getattr(again, field) != getattr(net, field):
            raise ValueError(f"net {name}: field {field} is built again as {getattr(again, field)!r}")
    try:
        same = again == net and hash(again) == hash(net)
    except TypeError as error:
        raise ValueError(f"net {name} cannot be hashed ({error})") from None
    if not same:
        raise ValueError(f"net {name}: what is built again from its JSON is not equal to it")


def _names(net):
    return [field.name for field in dataclasses.fields(net) if field.init and field.name not in ("parent", "name")]


def _encode(net, field, value):
    if type(value) is tuple:
        return [_encode(net, field, item) for item in value]
    if value is None or type(value) in (bool, int, str) or (type(value) is float and math.isfinite(value)):
        return value
    if dtype := _dtype_name(value):
        return {"dtype": dtype}
    if function := _function_name(value):
        return {"function": function}
    right = f"it must be a tuple, {tuple(value)!r}" if type(value) is list else f"only {ALLOWED}"
    raise ValueError(f"net {type(net).__name__}: field {field} has a {type(value).__name__}, {value!r}; {right}")


def _dtype_name(value):
    """Name, "bfloat16" for jnp.bfloat16; None of what is no scalar type of jax.numpy, as an np.dtype is none."""
    if not isinstance(value, type) or not hasattr(value, "dtype"):
        return None
    return value.__name__ if _dtype(value.__name__) == value else None


def _dtype(name):
    found = getattr(jnp, name, None) if isinstance(name, str) else None
    return found if isinstance(found, type) and hasattr(found, "dtype") else None


def _function_name(value):
    names = (f"{module}.{name}" for module, content in MODULES.items() for name in sorted(vars(content)))
    return next((name for name in names if _function(name) is value), None) if callable(value) else None


def _function(path):
    """The public function of that name, else None; no class and no module is one."""
    module, _, name = path.rpartition(".") if isinstance(path, str) else ("", "", "")
    found = None if name.startswith("_") or module not in MODULES else vars(MODULES[module]).get(name)
    return found if callable(found) and not isinstance(found, type) else None


def _decode(net, field, value):
    if isinstance(value, list | tuple):
        return tuple(_decode(net, field, item) for item in value)
    if not isinstance(value, dict):
        return value
    found = {"dtype": _dtype, "function": _function}
    if len(value) == 1 and (kind := next(iter(value))) in found and (made := found[kind](value[kind])) is not None:
        return made
    raise ValueError(f"net {net}: field {field} is {value!r}, which is neither a known dtype nor a known function")
