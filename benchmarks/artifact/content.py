"""What ships, as the body of a file: weights in order of path, then what module inputs go through.

An input that is rounded onto one grid is described in `grids.py`. Where the head lists kinds, those that go through
anything else follow, in the order of their keys:

    number of them
    key          place in the list of all modules that hold weights and those that the head names
    transforms   their number, then each (see `parts.py`)
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np

from benchmarks.artifact import grids, parts
from benchmarks.artifact.body import Sink, Source
from benchmarks.artifact.header import Kind
from methods.transforms import TRANSFORMS
from methods.transforms.grids import Quantizer
from methods.transforms.transform import Transform

Inputs = Mapping[str, tuple[Transform, ...]]


def encode(leaves: Mapping[str, Any], inputs: Inputs, modules: Sequence[str], kinds: Sequence[Kind]) -> bytes:
    """Returns the body.

    Args:
        leaves: by path.
        inputs: what inputs go through, see `Shipped.inputs`.
        modules: keys that inputs can have, in order.
        kinds: of packed weights and transforms, see `kinds`.

    Raises ValueError, naming the leaf or input, if one cannot be stored.
    """
    sink = Sink()
    for path, one in sorted(leaves.items()):
        with _named(path):
            parts.encode_leaf(one, kinds, sink)
    plain, others = _divided(inputs)
    grids.encode(plain, modules, sink)
    if kinds:
        sink.number(len(others))
    for key, transforms in sorted(others.items()):
        _check(key, transforms)
        sink.number(modules.index(key))
        sink.number(len(transforms))
        for one in transforms:
            parts.encode(one, kinds, sink)
    return sink.close()


def kinds(leaves: Mapping[str, Any], inputs: Inputs) -> tuple[Kind, ...]:
    """Returns the kinds that a head has to list.

    Raises ValueError if a packed weight or a transform is not registered.
    """
    others = [one for transforms in _divided(inputs)[1].values() for one in transforms]
    return parts.kinds_of([*leaves.values(), *others])


def _divided(inputs: Inputs) -> tuple[dict[str, Quantizer], dict[str, tuple[Transform, ...]]]:
    """Returns (those of one grid, all others that go through anything)."""
    plain, others = {}, {}
    for key, transforms in inputs.items():
        first = transforms[0] if len(transforms) == 1 else None
        if isinstance(first, Quantizer) and first.blocks is None:
            plain[key] = first
        elif transforms:
            others[key] = transforms
    return plain, others


def _check(key: str, transforms: Sequence[Transform]) -> None:
    if not all(np.isfinite(part).all() for part in jax.tree.leaves(transforms)):
        raise ValueError(f"activations/{key}: a transform is not finite: {transforms}")


def decode(
    source: Source, expected: Mapping[str, jax.ShapeDtypeStruct], modules: Sequence[str], kinds: Sequence[Kind]
) -> tuple[dict[str, Any], dict[str, tuple[Transform, ...]], int]:
    """Returns (leaves by path, what inputs go through, bytes of their values) of a body.

    Args:
        source: stands at its begin.
        expected: shape and dtype of each leaf, by path and in order of path.
        modules: keys that inputs can have, in order.
        kinds: that the head lists.

    Raises ValueError, naming the leaf where it is one's, if the body does not hold such leaves.
    """
    described, leaves = {}, {}
    for path, one in expected.items():
        with _named(path):
            described[path] = parts.read_leaf(source, kinds, one.shape, np.dtype(one.dtype))
    described_grids = grids.read(source, modules)
    others = _read_others(source, modules, kinds) if kinds else {}
    payload = source.open()
    for path, one in described.items():
        with _named(path):
            leaves[path] = parts.decode(one, source)
    inputs: dict[str, tuple[Transform, ...]] = {grid.module: (grids.decode(grid, source),) for grid in described_grids}
    for key, transforms in others.items():
        inputs[key] = tuple(parts.decode(one, source) for one in transforms)
        _check(key, inputs[key])
    source.close()
    return leaves, inputs, payload


def _read_others(source: Source, modules: Sequence[str], kinds: Sequence[Kind]) -> dict[str, list[parts.Described]]:
    others = {}
    for _ in range(source.number()):
        place = source.number()
        if place >= len(modules):
            raise ValueError(f"a transform is of module {place} of {len(modules)}")
        others[modules[place]] = [parts.read(source, kinds, TRANSFORMS) for _ in range(source.number())]
    return others


@contextmanager
def _named(path: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
