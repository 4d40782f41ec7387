"""How many weights each layer keeps: one arithmetic for every method that masks. Counts are whole numbers and exact.

Letters: n weights in a layer and N in all, of which k and K are kept. Rules, each with at least one weight in every
layer as long as there are that many:

- "global": the K of largest score wherever they lie, but no layer below a tenth of the overall density K/N, since a
  layer that loses nearly all of its weights cuts the net in two (layer collapse: Tanaka et al. 2020, arXiv 2006.05467);
- "uniform": k/n = K/N in every layer;
- "erk": Erdős-Rényi-kernel, k proportional to the sum of the kernel's dimensions, (in + out + height + width) in a
  convolution. Mocanu et al. 2018 (arXiv 1707.04780); Evci et al. 2020 (arXiv 1911.11134, §3). Where that is more than
  n the layer stays dense and the others share what is left.
"""

from collections.abc import Mapping
from fractions import Fraction
from math import prod
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

Shapes = Mapping[str, tuple[int, ...]]
Counts = dict[str, int]


class Allocation(NamedTuple):
    """What is kept. By numbers as data, so that one compiled step serves every strength."""

    least: Mapping[str, jax.Array]  # by path, int32 []: in this layer at least so many
    rest: jax.Array  # int32 []: and so many more, wherever the scores are largest


def kept_count(sparsity: float | jax.Array, size: int) -> int:
    """Returns size - round(sparsity · size), in whole numbers: 0.9 is nine tenths, not the float32 next to it."""
    return size - round(Fraction(str(np.float32(sparsity))) * size)


def allocate(shapes: Shapes, sparsity: float | jax.Array, rule: str = "global") -> Allocation:
    """Returns how many weights are kept: by `rule` in each layer, size - round(sparsity · size) in all.

    Args:
      shapes: of the weights to prune, by path. Each path is a layer.
      sparsity: share of all these weights that is pruned, from 0 to 1. Not traced.
      rule: one of `RULES`.
    """
    kept = kept_count(sparsity, sum(map(prod, shapes.values())))
    least = RULES[rule]({path: shapes[path] for path in sorted(shapes)}, kept)
    return _as_data(least, kept - sum(least.values()))


def explicit(shapes: Shapes, counts: Mapping[str, int]) -> Allocation:
    """Returns the allocation that keeps exactly `counts`, by path, of the weights of these shapes.

    Raises ValueError, naming the path, where a weight has no count or one that is not from 0 to its size.
    """
    for path, shape in shapes.items():
        if not 0 <= counts.get(path, -1) <= prod(shape):
            raise ValueError(f"{path} keeps {counts.get(path)} weights; it must be a number from 0 to {prod(shape)}")
    return _as_data({path: counts[path] for path in shapes}, 0)


def partway(final: Allocation, sizes: Mapping[str, int], done: jax.Array) -> Allocation:
    """Returns what is kept when `done`, float32 [] from 0 to 1, of the pruning is done; `final` itself at 1. In-graph.

    Where the layers' own counts are all that is kept, each layer comes down to its own in proportion. Otherwise the
    total comes down, and each layer's least stays what it is.

    Args:
      final: what is kept in the end.
      sizes: of the layers, by path.
      done: share of the weights to be pruned that are pruned by now.
    """
    whole, own = sum(sizes.values()), sum(final.least.values())
    layers = {path: size - _part(size - final.least[path], done) for path, size in sizes.items()}
    by_score, total = final.rest > 0, whole - _part(whole - own - final.rest, done)
    least = {path: jnp.where(by_score, final.least[path], count) for path, count in layers.items()}
    return Allocation(least, jnp.where(by_score, total - own, 0))


def _part(count: jax.Array, done: jax.Array) -> jax.Array:
    """Returns round(done · count), int32 [], between 0 and `count`; exactly `count` at 1, however large it is."""
    part = jnp.minimum(jnp.round(done * count).astype(jnp.int32), count)
    return jnp.where(done >= 1, count, part)


def _as_data(least: Counts, rest: int) -> Allocation:
    return Allocation({path: jnp.int32(count) for path, count in least.items()}, jnp.int32(rest))


def _floors(shapes: Shapes, kept: int) -> Counts:
    """Returns the least of "global": a tenth of the overall density, rounded up; 1 or 0 where that is too much."""
    whole = sum(map(prod, shapes.values()))
    floors = {path: max(min(kept, 1), -(-prod(shape) * kept // (10 * whole))) for path, shape in shapes.items()}
    return floors if sum(floors.values()) <= kept else dict.fromkeys(shapes, int(kept >= len(shapes)))


def _uniform(shapes: Shapes, kept: int) -> Counts:
    return _shared(shapes, kept, {path: prod(shape) for path, shape in shapes.items()})


def _erk(shapes: Shapes, kept: int) -> Counts:
    return _shared(shapes, kept, {path: sum(shape) for path, shape in shapes.items()})


def _shared(shapes: Shapes, kept: int, weights: Counts) -> Counts:
    """Returns `kept` shared out in proportion to `weights`, no layer above its size; largest remainders round up."""
    counts, open_, rest = {}, dict(weights), kept
    while over := [path for path, w in open_.items() if w * rest > prod(shapes[path]) * sum(open_.values())]:
        counts |= {path: prod(shapes[path]) for path in over}
        open_ = {path: w for path, w in open_.items() if path not in over}
        rest = kept - sum(counts.values())
    total = sum(open_.values())
    counts |= {path: w * rest // total for path, w in open_.items()}
    by_remainder = sorted(open_, key=lambda path: (-(open_[path] * rest % total), path))
    for path in by_remainder[: kept - sum(counts.values())]:
        counts[path] += 1
    return _none_empty(counts, kept)


def _none_empty(counts: Counts, kept: int) -> Counts:
    """Returns the counts with one weight for each layer that had none, each taken from the layer that keeps most."""
    counts = dict(sorted(counts.items()))
    for path in [path for path, count in counts.items() if count == 0 and kept >= len(counts)]:
        counts[max(counts, key=lambda other: counts[other])] -= 1
        counts[path] = 1
    return counts


RULES = {"global": _floors, "uniform": _uniform, "erk": _erk}
"""(shapes by path, K) -> what each layer keeps at least; sums to K where the rule leaves nothing to the scores."""
