"""The grids onto which inputs of modules are rounded, in the body of an artifact.

The description is their number, then of each, in order of the modules' places:

    place        of the module in the sorted list of all modules that hold weights and those that the header names
    low, high    smallest code, signed; largest code minus the smallest
    scale        number of axes, length of each
    zero point   place of its dtype in NARROW, number of axes, length of each

Their values are scale, float32, and zero point. Codes are rounded half to even.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.artifact.body import Sink, Source
from benchmarks.artifact.leaf import NARROW, narrow, read_dtype
from methods.transforms.grids import FLOAT_BITS, Quantizer


class Grid(NamedTuple):
    """What the description of a grid says."""

    module: str
    low: int
    high: int
    scale: tuple[int, ...]  # shape
    zero_point: tuple[np.dtype, tuple[int, ...]]


def modules(paths: Iterable[str], named: Iterable[str]) -> list[str]:
    """Returns the modules that a grid can have, in order: those of the weights at `paths`, and the `named` ones."""
    return sorted({path.partition("/")[2].rpartition("/")[0] for path in paths} | set(named))


def encode(inputs: Mapping[str, Quantizer], known: Sequence[str], sink: Sink) -> None:
    """Adds grids to a body.

    Args:
        inputs: grids by module.
        known: modules that a grid can have.
        sink: of the body.

    Raises ValueError if a grid is not finite, or its bounds are no integers.
    """
    sink.number(len(inputs))
    for module, grid in sorted(inputs.items()):
        _check(module, grid)
        low, high = int(grid.low), int(grid.high)
        scale, zero_point = np.asarray(grid.scale, np.float32), narrow(np.asarray(grid.zero_point, np.float32))
        sink.number(known.index(module))
        sink.signed(low)
        sink.number(high - low)
        _describe(scale, sink)
        sink.number(NARROW.index(zero_point.dtype))
        _describe(zero_point, sink)
        sink.plain(scale)
        sink.plain(zero_point)


def _check(module: str, grid: Quantizer) -> None:
    if not all(np.isfinite(field).all() for field in jax.tree.leaves(grid)):
        raise ValueError(f"activations/{module}: grid is not finite: {grid}")
    low, high = float(grid.low), float(grid.high)
    if low != int(low) or high != int(high) or not low <= high <= low + 2.0**FLOAT_BITS:
        raise ValueError(f"activations/{module}: codes from {low} to {high} are no range of integers")


def _describe(array: np.ndarray, sink: Sink) -> None:
    for n in (array.ndim, *array.shape):
        sink.number(n)


def read(source: Source, known: Sequence[str]) -> list[Grid]:
    """Returns the descriptions, which come next in a body. Raises ValueError if they fit no net of such modules."""
    grids = []
    for _ in range(source.number()):
        place = source.number()
        if place >= len(known):
            raise ValueError(f"a grid is of module {place} of {len(known)}")
        low = source.signed()
        high, scale = low + source.number(), _shape(source)
        grids.append(Grid(known[place], low, high, scale, (read_dtype(source), _shape(source))))
    return grids


def _shape(source: Source) -> tuple[int, ...]:
    return tuple(source.number() for _ in range(source.number()))


def decode(grid: Grid, source: Source) -> Quantizer:
    """Returns the grid whose values come next. Raises ValueError if they fit no grid."""
    scale, zero_point = source.array(np.dtype(np.float32), grid.scale), source.array(*grid.zero_point)
    low, high = jnp.float32(grid.low), jnp.float32(grid.high)
    quantizer = Quantizer(jnp.asarray(scale), jnp.asarray(zero_point, jnp.float32), low, high)
    _check(grid.module, quantizer)
    return quantizer
