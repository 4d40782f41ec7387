"""What ships, as the body of a file: weights in order of path, then the grids of module inputs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np

from benchmarks.artifact import grids, leaf
from benchmarks.artifact.body import Sink, Source
from methods.transforms.transform import Transform


def encode(leaves: Mapping[str, Any], inputs: Mapping[str, tuple[Transform, ...]], modules: Sequence[str]) -> bytes:
    """Returns the body.

    Args:
        leaves: by path.
        inputs: grids by module.
        modules: those that a grid can have, in order.

    Raises ValueError, naming the leaf or module, if one cannot be stored.
    """
    sink = Sink()
    for path, one in sorted(leaves.items()):
        with _named(path):
            leaf.encode(one, sink)
    grids.encode({key: one for key, (one,) in inputs.items()}, modules, sink)
    return sink.close()


def decode(
    source: Source, expected: Mapping[str, jax.ShapeDtypeStruct], modules: Sequence[str]
) -> tuple[dict[str, Any], dict[str, tuple[Transform, ...]], int]:
    """Returns (leaves by path, grids by module, bytes of their values) of a body.

    Args:
        source: stands at its begin.
        expected: shape and dtype of each leaf, by path and in order of path.
        modules: those that a grid can have, in order.

    Raises ValueError, naming the leaf where it is one's, if the body does not hold such leaves.
    """
    described, leaves = {}, {}
    for path, one in expected.items():
        with _named(path):
            described[path] = leaf.read(source, one.shape, np.dtype(one.dtype))
    described_grids = grids.read(source, modules)
    payload = source.open()
    for path, one in described.items():
        with _named(path):
            leaves[path] = leaf.decode(one, source)
    inputs = {grid.module: (grids.decode(grid, source),) for grid in described_grids}
    source.close()
    return leaves, inputs, payload


@contextmanager
def _named(path: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
