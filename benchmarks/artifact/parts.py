"""Packed weights, and transforms of module inputs, of whatever kind: facts in the head, arrays in the body.

A kind is a name of `PACKED` or `TRANSFORMS` with the static fields of such a class; the head lists each once. In the
body, one of them is described by

    kind         its place in that list
    parts        of each field that is data, in order: 0 if it is None; else number of axes + 1, length of each, place
                 of the dtype in DTYPES, and its description as a leaf

A leaf may be an array or `Codes` (see `leaf.py`), or a packed weight: form 64, then its description. `Quantized`, the
most frequent one, has a shorter form of its own. So every part is stored in as few bytes as any other leaf.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import msgspec
import numpy as np

from benchmarks.artifact import leaf as leaves
from benchmarks.artifact.body import Sink, Source
from benchmarks.artifact.header import Kind, to_json
from benchmarks.artifact.leaf import DTYPES, Leaf
from methods.transforms import PACKED, TRANSFORMS
from methods.transforms.grids import Quantized
from methods.transforms.transform import Codes, Packed, Transform, facts, fields, is_packed, parts, unpack

FORM = 64
"""Of a packed weight."""


class Described(NamedTuple):
    """What the description of a packed weight or a transform says."""

    kind: type
    facts: dict[str, Any]
    parts: "dict[str, Leaf | Described | None]"


def kinds_of(ones: Iterable[Any]) -> tuple[Kind, ...]:
    """Returns the kinds of packed weights and transforms, their parts included; of any other leaf none. Each once.

    Raises ValueError if one is not registered.
    """
    found = {to_json(kind): kind for one in ones for kind in _kinds(one)}
    return tuple(found[text] for text in sorted(found))


def _kinds(one: Any) -> Iterator[Kind]:
    if isinstance(one, Packed | Transform) and not isinstance(one, Quantized):
        yield _kind(one)
        for part in parts(one).values():
            yield from _kinds(part)


def _kind(one: Any) -> Kind:
    table = PACKED if is_packed(one) else TRANSFORMS
    for name, kind in table.items():
        if kind is type(one):
            return Kind(name, msgspec.to_builtins(facts(one)))
    raise ValueError(f"{type(one).__name__} has no row in methods/transforms")


def encode_leaf(leaf: Any, kinds: Sequence[Kind], sink: Sink) -> None:
    """Adds a leaf to a body.

    Args:
        leaf: an array, `Codes` or a packed weight.
        kinds: that the head lists.
        sink: of the body.

    Raises ValueError if it cannot be stored.
    """
    if is_packed(leaf) and not isinstance(leaf, Quantized):
        sink.number(FORM)
        encode(leaf, kinds, sink)
    else:
        leaves.encode(leaf, sink)


def encode(one: Packed | Transform, kinds: Sequence[Kind], sink: Sink) -> None:
    """Adds a packed weight or a transform to a body.

    Args:
        one: of them.
        kinds: that the head lists.
        sink: of the body.

    Raises ValueError if a part of it cannot be stored.
    """
    sink.number(kinds.index(_kind(one)))
    for part in parts(one).values():
        if part is None:
            sink.number(0)
            continue
        spec = part.values if isinstance(part, Codes) else part
        for n in (len(spec.shape) + 1, *spec.shape):
            sink.number(n)
        sink.number(DTYPES.index(str(spec.dtype)))
        encode_leaf(part, kinds, sink)


def read_leaf(source: Source, kinds: Sequence[Kind], shape: tuple[int, ...], dtype: np.dtype) -> Leaf | Described:
    """Returns the description of a leaf, which comes next in a body.

    Args:
        source: stands there.
        kinds: that the head lists.
        shape: of the leaf.
        dtype: of the leaf.

    Raises ValueError if it fits no such leaf.
    """
    form = source.number()
    if form != FORM:
        return leaves.read(source, form, shape, dtype)
    described = read(source, kinds, PACKED)
    try:
        found = jax.eval_shape(unpack, described.kind(**_specs(described), **described.facts))
    except Exception as error:  # whatever the code of a kind makes of parts that it was not made for
        raise ValueError(f"its parts do not fit together: {error}") from None
    if (found.shape, found.dtype) != (shape, dtype):
        raise ValueError(f"its parts make {found.dtype} of shape {found.shape}, not {dtype} of {shape}")
    return described


def _specs(described: Described) -> dict[str, Any]:
    """Returns the parts as shapes and dtypes; a packed part as what it unpacks to."""

    def spec(part):
        if not isinstance(part, Leaf):
            return part and jax.eval_shape(unpack, part.kind(**_specs(part), **part.facts))
        array: Any = jax.ShapeDtypeStruct(part.shape, part.dtype)
        return Codes(array, part.codes[0]) if part.codes else array

    return {name: spec(part) for name, part in described.parts.items()}


def read(source: Source, kinds: Sequence[Kind], table: Mapping[str, type]) -> Described:
    """Returns the description of a packed weight or a transform, which comes next in a body.

    Args:
        source: stands there.
        kinds: that the head lists.
        table: of the kinds that are meant.

    Raises ValueError if there is no such kind, or it has other parts.
    """
    place = source.number()
    if place >= len(kinds) or kinds[place].name not in table:
        raise ValueError(f"there is no kind {place} among {', '.join(kind.name for kind in kinds)}")
    kind = table[kinds[place].name]
    own = {field.name: _part(source, kinds) for field in fields(kind, True)}
    return Described(kind, _facts(kinds[place], kind), own)


def _facts(said: Kind, kind: type) -> dict[str, Any]:
    types = {field.name: field.type for field in fields(kind, False)}
    if said.facts.keys() != types.keys():
        raise ValueError(f"{said.name} has the facts {sorted(types)}, not {sorted(said.facts)}")
    return {name: msgspec.convert(value, types[name]) for name, value in said.facts.items()}


def _part(source: Source, kinds: Sequence[Kind]) -> Leaf | Described | None:
    axes = source.number()
    if not axes:
        return None
    shape = tuple(source.number() for _ in range(axes - 1))
    source.hold(shape)
    place = source.number()
    if place >= len(DTYPES):
        raise ValueError(f"a part has no dtype {place}")
    return read_leaf(source, kinds, shape, jnp.dtype(DTYPES[place]))


def decode(described: Leaf | Described, source: Source) -> Any:
    """Returns the leaf or the transform whose values come next. Raises ValueError if they do not fit."""
    if isinstance(described, Leaf):
        return leaves.decode(described, source)
    own = {name: None if part is None else decode(part, source) for name, part in described.parts.items()}
    return described.kind(**own, **described.facts)
