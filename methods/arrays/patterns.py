"""N:M sparsity: of every M weights that lie side by side along what a product sums over, N are kept.

Mishra et al. 2021 (arXiv 2104.08378, §3). Letters: a weight is seen as [K, O], where K is its axes that are summed
over, in their order, and O all others; groups are M consecutive entries along K. In a convolution that is the window
with the input channels fastest: M input channels at one place of the window, if M divides them. What is left over at
the end of K, less than M entries, belongs to no group and stays dense.
"""

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import jax
import jax.numpy as jnp


class Pattern(NamedTuple):
    """N:M."""

    kept: int  # N
    of: int  # M


def left_over(shape: Sequence[int], axes: Sequence[int], pattern: Pattern) -> tuple[int, int]:
    """Returns (how many of the K entries belong to no group, K).

    Args:
      shape: of the weight.
      axes: those that are summed over.
      pattern: N:M.
    """
    length = prod(shape[axis] for axis in axes)
    return length % pattern.of, length


def pattern_mask(scores: jax.Array, axes: Sequence[int], pattern: Pattern) -> jax.Array:
    """Returns the mask, bool in the shape of `scores`, that keeps the N largest of each group, and what is left over.

    Ties go to the later entry. In-graph.

    Args:
      scores: any real number type.
      axes: those that are summed over, static.
      pattern: N:M, static.
    """
    groups, rest = cut(scores, axes, pattern.of)
    return joined(largest_of(groups, pattern.kept), jnp.ones_like(rest, bool), axes, scores.shape)


def cut(x: jax.Array, axes: Sequence[int], of: int) -> tuple[jax.Array, jax.Array]:
    """Returns (groups [K // M, M, O], what is left over [K % M, O]).

    Args:
      x: of any shape.
      axes: those that are summed over.
      of: M.
    """
    length = prod(x.shape[axis] for axis in axes)
    rows = jnp.moveaxis(x, axes, range(len(axes))).reshape(length, x.size // length)
    count = length // of
    return rows[: count * of].reshape(count, of, rows.shape[1]), rows[count * of :]


def joined(groups: jax.Array, rest: jax.Array, axes: Sequence[int], shape: Sequence[int]) -> jax.Array:
    """Returns the array of this shape that `cut` has cut into these pieces.

    Args:
      groups: [K // M, M, O].
      rest: [K % M, O].
      axes: those that are summed over.
      shape: of the whole.
    """
    rows = jnp.concatenate([groups.reshape(-1, *rest.shape[1:]), rest])
    others = [n for i, n in enumerate(shape) if i not in axes]
    return jnp.moveaxis(rows.reshape(*(shape[axis] for axis in axes), *others), range(len(axes)), axes)


def largest_of(groups: jax.Array, kept: int) -> jax.Array:
    """Returns the mask of the `kept` largest along the second axis of [G, M, O]; ties go to the later.

    They are those that fewer than `kept` beat: for a few entries, comparing each pair once is faster than sorting.
    """
    entries = [groups[:, i] for i in range(groups.shape[1])]
    beaten = [jnp.zeros(entry.shape, jnp.int8) for entry in entries]
    for i, earlier in enumerate(entries):
        for j in range(i + 1, len(entries)):
            later = entries[j] >= earlier
            beaten[i] += later
            beaten[j] += ~later
    return jnp.stack([count < kept for count in beaten], axis=1)
