"""What ran, as digests: functions, and all that they reach in this code base, without docstrings, comments and paths.

A function is described by its bytecode, its constants and the values it refers to: globals, closures, defaults. From
there the walk goes on to every function and class that is not of an installed package; those are named only, since
their versions are recorded. So a moved file or a comment changes nothing, and an edited helper does.
"""

import dataclasses
import dis
import functools
import hashlib
import inspect
import sysconfig
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
"""Folders of the standard library and of installed packages: what lies there is named by its version."""


class Sources:
    """The walk from a few functions to all that they reach."""

    def __init__(self, *roots: Any) -> None:
        self._lines: dict[int, str] = {}  # by id of the object
        self._kept: list[Any] = []  # so that no id is used twice
        self.files: set[Path] = set()
        for root in roots:
            self._describe(root)

    def digest(self) -> str:
        """Returns 8 hex digits of everything reached."""
        return hashlib.sha256("\n".join(sorted(self._lines.values())).encode()).hexdigest()[:8]

    def _describe(self, value: Any) -> str:
        """Returns what stands for `value` where it is referred to; visits it if it is code of ours."""
        if isinstance(value, jax.custom_vjp | jax.custom_jvp):
            rules = (getattr(value, name, None) for name in ("fun", "fwd", "bwd", "jvp"))
            return f"custom derivative {self._all(rules)}"
        value = _unwrapped(value)
        if isinstance(value, type | types.FunctionType):
            name = f"{type(value).__name__} {value.__qualname__}"
            if _is_ours(value):
                self._visit(value)
                return name
            return f"{name} of {value.__module__.partition('.')[0]}"
        if isinstance(value, functools.partial):
            return f"partial {self._describe(value.func)} {self._all(value.args)} {self._mapping(value.keywords)}"
        if isinstance(value, types.MethodType):
            return f"{self._describe(value.__func__)} of {self._describe(value.__self__)}"
        return self._describe_data(value)

    def _describe_data(self, value: Any) -> str:
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, tuple | list):
            kind = self._describe(type(value)) if hasattr(value, "_fields") else ""
            return f"{kind}{self._all(value)}"
        if isinstance(value, set | frozenset):
            return f"set {sorted(self._describe(item) for item in value)}"
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {f.name: getattr(value, f.name, None) for f in dataclasses.fields(value) if f.name != "parent"}
            return f"{self._describe(type(value))} {self._mapping(fields)}"
        if value is None or value is ... or isinstance(value, bool | int | float | complex | str | bytes | np.dtype):
            return repr(value)
        if hasattr(value, "__array__") and hasattr(value, "dtype"):
            array = np.asarray(value)
            return f"array {array.dtype} {array.shape} {hashlib.sha256(array.tobytes()).hexdigest()}"
        if _is_ours(type(value)):
            return self._describe(type(value))  # without what it holds: a cache would differ from call to call
        return f"a {type(value).__qualname__}"  # of an installed package, or a module

    def _all(self, values) -> str:
        return f"({', '.join(self._describe(value) for value in values)})"

    def _mapping(self, values: Mapping) -> str:
        items = sorted(f"{self._describe(key)}: {self._describe(value)}" for key, value in values.items())
        return f"{{{', '.join(items)}}}"

    def _visit(self, value: types.FunctionType | type) -> None:
        if id(value) in self._lines:
            return
        self._lines[id(value)] = ""  # entered before its parts, which may refer to it
        self._kept.append(value)
        parts = self._class(value) if isinstance(value, type) else self._function(value)
        self._lines[id(value)] = f"{value.__qualname__} = {' | '.join(parts)}"

    def _class(self, cls: type) -> Iterator[str]:
        self.files.add(Path(inspect.getfile(cls)).resolve())
        yield from (self._describe(base) for base in cls.__bases__)
        for name, value in sorted(vars(cls).items()):
            if name in _GENERATED or name.startswith("_abc_"):
                continue
            value = value.__func__ if isinstance(value, staticmethod | classmethod) else value
            value = value.fget if isinstance(value, property) else value
            value = value.func if isinstance(value, functools.cached_property) else value
            yield f"{name}: {self._describe(value)}"

    def _function(self, function: types.FunctionType) -> Iterator[str]:
        self.files.add(Path(function.__code__.co_filename).resolve())
        yield from self._instructions(function.__code__)
        yield self._describe_data(function.__defaults__)
        yield self._describe_data(function.__kwdefaults__)
        names = function.__code__.co_freevars
        for name, cell in zip(names, function.__closure__ or (), strict=True):
            yield f"{name} = {self._describe(_content(cell))}"
        for name, value in _referred(function.__code__, function.__globals__):
            yield f"{name} = {self._describe(value)}"

    def _instructions(self, code: types.CodeType) -> Iterator[str]:
        """What the code does, nested functions included. A jump is told by how many instructions it passes."""
        listed = [item for item in dis.get_instructions(code) if item.opname not in ("RESUME", "CACHE", "NOP")]
        index = {item.offset: i for i, item in enumerate(listed)}
        for i, item in enumerate(listed):
            if isinstance(item.argval, types.CodeType):
                yield from self._instructions(item.argval)
            elif item.opname == "KW_NAMES":
                yield f"KW_NAMES {code.co_consts[item.arg or 0]}"
            elif item.opcode in dis.hasjrel or item.opcode in dis.hasjabs:
                yield f"{item.opname} {index.get(item.argval, i) - i}"
            elif item.opname != "EXTENDED_ARG":
                yield f"{item.opname} {self._describe_data(item.argval)}"


_GENERATED = {
    *(
        "__dict__",
        "__weakref__",
        "__module__",
        "__doc__",
        "__annotations__",
        "__firstlineno__",
        "__static_attributes__",
    ),
    *("__dataclass_fields__", "__dataclass_params__", "__match_args__", "__parameters__", "__orig_bases__"),
    *("__repr__", "__hash__", "__eq__", "__init__", "__setattr__", "__delattr__", "__replace__", "__slotnames__"),
    *("__struct_fields__", "__struct_config__", "__abstractmethods__", "_kw_only_dataclasses", "_state", "__new__"),
}
"""Attributes of a class that Python, dataclasses and Flax make from the others."""


def _unwrapped(value):
    """The function below decorators that keep it: jit, lru_cache, Flax's wrappers, custom derivatives."""
    while not isinstance(value, type) and callable(getattr(value, "__wrapped__", None)):
        value = value.__wrapped__
    return value


def _is_ours(value) -> bool:
    if isinstance(value, types.FunctionType):
        file = value.__code__.co_filename
    else:
        file = getattr(inspect.getmodule(value), "__file__", None)
    return bool(file) and not file.startswith(INSTALLED) and not file.startswith("<")


def _content(cell):
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _referred(code: types.CodeType, names: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """(name, value) of the globals that the code uses, nested functions included; of a module, its attributes."""
    for name in sorted(set(code.co_names)):
        if name in names:
            value = names[name]
            if isinstance(value, types.ModuleType):
                yield from ((n, vars(value)[n]) for n in sorted(set(code.co_names)) if n in vars(value))
            else:
                yield name, value
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _referred(constant, names)
