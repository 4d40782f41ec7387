"""Axes by use: along which axes of a weight a scale may differ, and which of them are layers stacked in one array.

What one product sums over shares a scale; all other axes keep one: output channels, heads, layers stacked by nn.scan,
experts under nn.vmap. A table that is looked up keeps one scale for each row, also where it multiplies as well. Where
two uses contradict each other, a scale is shared along the axes that either sums over, with a `Fallback`.
"""

import warnings
from collections.abc import Iterable, Sequence
from itertools import combinations

from flax import linen as nn

from methods.base import Fallback, PyTree
from methods.paths import flatten
from methods.uses.uses import Uses, uses_of
from methods.uses.walk import Use


def output_axes(net: nn.Module, variables: PyTree, example: PyTree, paths: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Returns the axes of each weight that keep a scale, by path; axes of size 1 are none of them.

    Warns of a `Fallback` where uses contradict each other, and where the use of a weight cannot be followed; then the
    last axis keeps a scale.

    Args:
      net: whose weights they are.
      variables: of the net, arrays or their shapes and dtypes.
      example: an input, array [B, ...] or a tree of them; only its shape matters.
      paths: of the weights.
    """
    uses = uses_of(net, variables, example)
    found = {path: _kept(path, uses) for path in paths}
    for path, (_, trouble) in found.items():
        if trouble:
            warnings.warn(Fallback(f"{path} {trouble}"), stacklevel=2)
    return {path: axes for path, (axes, _) in found.items()}


def shared_axes(net: nn.Module, variables: PyTree, example: PyTree, paths: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Returns the other axes of each weight, by path: those that `output_axes` leaves out, with its warnings.

    Args:
      net: whose weights they are.
      variables: of the net, arrays or their shapes and dtypes.
      example: an input, array [B, ...] or a tree of them; only its shape matters.
      paths: of the weights.
    """
    kept = output_axes(net, variables, example, paths)
    leaves = flatten(variables["params"])
    return {path: tuple(i for i in range(leaves[path].ndim) if i not in axes) for path, axes in kept.items()}


def layer_axes(net: nn.Module, variables: PyTree, example: PyTree, paths: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Returns the axes of each weight along which layers of their own are stacked, by path: () where it is one layer.

    They are the axes that the weight's module does not see: those of nn.scan and nn.vmap.

    Args:
      net: whose weights they are.
      variables: of the net, arrays or their shapes and dtypes.
      example: an input, array [B, ...] or a tree of them; only its shape matters.
      paths: of the weights.
    """
    uses = uses_of(net, variables, example)
    return {path: _stacked(path, uses) for path in paths}


def edges(net: nn.Module, variables: PyTree, example: PyTree, paths: Iterable[str]) -> tuple[str, str]:
    """Returns the paths of the weights, out of `paths`, that are used first and last.

    Args:
      net: whose weights they are.
      variables: of the net, arrays or their shapes and dtypes.
      example: an input, array [B, ...] or a tree of them; only its shape matters.
      paths: of the weights, one at least.
    """
    paths = list(paths)
    order = [path for path, _ in uses_of(net, variables, example).order if path in paths] or paths
    return order[0], order[-1]


def _kept(path: str, uses: Uses) -> tuple[tuple[int, ...], str]:
    """Returns the axes that keep a scale, and what there is to say about it."""
    shape = uses.stored[path]
    wide = [i for i, n in enumerate(shape) if n > 1]
    sharing = _sharing([use for other, use in uses.order if other == path])
    if not sharing:
        last = tuple(i for i in wide if i == len(shape) - 1)
        return last, "is used in a way that cannot be followed: its last axis keeps a scale"
    rows = [axes for axes, kind in sharing if kind != "multiplied"]
    shared = rows[0] if rows else frozenset().union(*(axes for axes, _ in sharing))
    kept = tuple(i for i in wide if i not in shared)
    different = {axes: f"{kind} with a scale shared along axes {sorted(axes)}" for axes, kind in sharing}
    if len(different) == 1:
        return kept, ""
    return kept, f"is {' and '.join(different.values())}: axes {list(kept)} keep a scale"


def _sharing(uses: Sequence[Use]) -> list[tuple[frozenset[int], str]]:
    """Returns (axes that share, kind) of the uses that say so.

    What is picked at fixed places is taken for a table only if nothing else is done with it.
    """
    followed = [(use.shared, use.kind) for use in uses if use.shared is not None]
    return [(axes, kind) for axes, kind in followed if kind != "picked"] or followed


def _stacked(path: str, uses: Uses) -> tuple[int, ...]:
    shape, seen = uses.stored[path], uses.seen.get(path, uses.stored[path])
    for axes in combinations(_kept(path, uses)[0], len(shape) - len(seen)):
        if tuple(n for i, n in enumerate(shape) if i not in axes) == tuple(seen):
            return axes
    return ()
