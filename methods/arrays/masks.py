"""Which weights to keep: exact masks from scores."""

from collections.abc import Callable, Mapping
from math import prod

import jax
import jax.numpy as jnp
import numpy as np

from methods.arrays.allocation import Allocation

_LAST = np.uint32(2**32 - 1)
_ROW, _COLUMN = 256, 64


def masks(scores: Mapping[str, jax.Array], kept: Allocation) -> dict[str, jax.Array]:
    """Returns masks, bool in the shapes of the scores: the least of each layer, then the largest of all the others.

    Counts are exact. Ties go to the later entry, paths in alphabetical order.

    Args:
      scores: by path, any number type.
      kept: how many are kept; its numbers may be traced.
    """
    scores = {path: scores[path] for path in sorted(scores)}
    own = {path: keep_largest(score, kept.least[path]) for path, score in scores.items()}
    return jax.lax.cond(kept.rest > 0, lambda: _with_rest(own, scores, kept), lambda: own)


def _with_rest(own: Mapping[str, jax.Array], scores: Mapping[str, jax.Array], kept: Allocation) -> dict[str, jax.Array]:
    """Returns the masks `own` and, beside them, the `kept.rest` largest scores of all layers together."""
    keys = {path: jnp.where(own[path], _LAST, _ordered(score)) for path, score in scores.items()}
    size, least = sum(key.size for key in keys.values()), sum(kept.least.values())
    pruned = _smallest(_rows(jnp.concatenate([key.ravel() for key in keys.values()])), size - least - kept.rest)
    return _split(~pruned, keys)


def keep_largest(scores: jax.Array, kept: jax.Array | int) -> jax.Array:
    """Returns the mask, bool in the shape of `scores`, that keeps the `kept` largest, exactly. Ties go to the later.

    `kept` may be traced. By bisection over the bits of the scores and then over places: some forty passes of counting,
    where a sort takes ten to thirty times as long, and no copy but one of 32 bits for each score.
    """
    return ~_smallest(_ordered(scores), scores.size - jnp.asarray(kept, jnp.int32))


def rewired(mask: jax.Array, drop: jax.Array, grow: jax.Array, fraction: jax.Array | float) -> jax.Array:
    """Returns a mask, bool like `mask`, that keeps as many: some leave, and as many enter in their place. In-graph.

    The smallest of `drop` leave, ⌊fraction · kept⌋ of them; then the largest of `grow` enter among all that are masked
    by then, so that what has just left may come back.

    Args:
      mask: bool, True where a weight is kept.
      drop: score of those that are kept, like `mask`.
      grow: score of those that are masked, like `mask`.
      fraction: of the kept ones, from 0 to 1, float32 [].
    """
    kept = jnp.sum(mask, dtype=jnp.int32)
    moved = jnp.floor(fraction * kept).astype(jnp.int32)
    stay = keep_largest(jnp.where(mask, drop, -jnp.inf), kept - moved)
    return stay | keep_largest(jnp.where(stay, -jnp.inf, grow), moved)


def _smallest(keys: jax.Array, count: jax.Array) -> jax.Array:
    """Returns the mask of the `count` smallest of uint32 keys; of tied ones, the earlier."""
    places = jnp.arange(keys.size, dtype=jnp.uint32).reshape(keys.shape)
    edge = _largest(lambda key: _count(keys < key) <= count, 32)
    below, tied = keys < edge, keys == edge
    spare = count - _count(below)
    bits = keys.size.bit_length() * (spare > 0)  # no pass at all where nothing is tied
    end = _largest(lambda place: _count(tied & (places < place)) <= spare, bits)
    return below | (tied & (places < end))


def _rows(keys: jax.Array) -> jax.Array:
    """Returns keys [N] as [rows, 256], which is counted faster, filled up with the largest key."""
    fill = -keys.size % _ROW
    return jnp.pad(keys, (0, fill), constant_values=_LAST).reshape(-1, _ROW)


def _split(flat: jax.Array, like: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
    """Returns the pieces of an array in the shapes of `like`, one after another; what is left over is dropped."""
    ends = np.cumsum([leaf.size for leaf in like.values()])
    pieces = jnp.split(flat.ravel(), ends)
    return {path: piece.reshape(leaf.shape) for (path, leaf), piece in zip(like.items(), pieces, strict=False)}


def _count(mask: jax.Array) -> jax.Array:
    """Returns how many are True, int32 []. By columns of 64 rows first, whose sums fit in int8: faster on CPUs."""
    rows = mask.reshape(prod(mask.shape[:-1]), mask.shape[-1])
    end = len(rows) - len(rows) % _COLUMN
    sums = jnp.sum(rows[:end].reshape(end // _COLUMN, _COLUMN, rows.shape[1]), axis=1, dtype=jnp.int8)
    rest = jnp.sum(rows[end:], axis=0, dtype=jnp.int8)
    return jnp.sum(jax.lax.optimization_barrier(jnp.concatenate([sums, rest[None]])), dtype=jnp.int32)


def _ordered(x: jax.Array) -> jax.Array:
    """Returns uint32 in the order of the numbers x, whatever their sign; -0.0 counts as 0.0."""
    bits = jax.lax.bitcast_convert_type(jnp.where(x == 0, 0, x).astype(jnp.float32), jnp.uint32)
    return jnp.where(bits >> 31, ~bits, bits | jnp.uint32(1 << 31))


def _largest(holds: Callable[[jax.Array], jax.Array], bits: jax.Array | int) -> jax.Array:
    """Returns the largest uint32 [] below 2^bits for which `holds`. `bits` may be traced.

    It holds up to some number, 0 at least, and not after.
    """

    def decide(i, found):
        trial = found | (jnp.uint32(1) << jnp.uint32(bits - 1 - i))
        return jnp.where(holds(trial), trial, found)

    return jax.lax.fori_loop(0, bits, decide, jnp.uint32(0))
