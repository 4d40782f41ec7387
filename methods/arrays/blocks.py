"""Blocks of an array that share a scale: some of its axes, run together in their order, cut into pieces of one length.

The last piece is shorter where the length does not divide. What holds one number for each block has the shape
[blocks, *others], the others being the array's other axes in their order.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp


class Blocks(NamedTuple):
    """Which axes are cut, and into what."""

    axes: tuple[int, ...]  # counted from either end
    size: int  # elements of a block


def gather(x: jax.Array, blocks: Blocks) -> jax.Array:
    """Returns `x` as [blocks, size, *others], filled up with zeros. Raises ValueError if it has no such blocks."""
    flat = jnp.moveaxis(x, (axes := _axes(blocks, x.ndim)), range(len(axes)))
    flat = flat.reshape(-1, *flat.shape[len(axes) :])
    padded = jnp.pad(flat, [(0, -len(flat) % blocks.size), *[(0, 0)] * (flat.ndim - 1)])
    return padded.reshape(-1, blocks.size, *flat.shape[1:])


def spread(each: jax.Array, blocks: Blocks | None, shape: Sequence[int]) -> jax.Array:
    """Returns the number of each element's block; `each` itself where there are no blocks.

    Args:
      each: a number for each block, [blocks, *others].
      blocks: how the array is cut.
      shape: of the array.

    Raises:
      ValueError: an array of this shape has no such blocks.
    """
    if blocks is None:
        return each
    axes = _axes(blocks, len(shape))
    cut = [shape[axis] for axis in axes]
    others = [n for i, n in enumerate(shape) if i not in axes]
    count = math.prod(cut)
    if each.shape != (-(-count // blocks.size), *others):
        raise ValueError(f"{each.shape} are not the blocks of {blocks.size} along axes {axes} of {tuple(shape)}")
    flat = jnp.broadcast_to(each[:, None], (len(each), blocks.size, *others)).reshape(-1, *others)[:count]
    return jnp.moveaxis(flat.reshape(*cut, *others), range(len(axes)), axes)


def peaks(x: jax.Array, blocks: Blocks) -> jax.Array:
    """Returns max|x| of each block, [blocks, *others]."""
    return jnp.max(gather(jnp.abs(x), blocks), axis=1)


def _axes(blocks: Blocks, ndim: int) -> tuple[int, ...]:
    axes = tuple(axis + ndim if axis < 0 else axis for axis in blocks.axes)
    if blocks.size < 1 or not axes or list(axes) != sorted(set(axes)) or not 0 <= axes[0] <= axes[-1] < ndim:
        raise ValueError(f"an array of {ndim} axes has no blocks of {blocks.size} along axes {blocks.axes}")
    return axes
