"""The uses of a net's weights, by path; traced once for each net and shapes."""

import math
from functools import lru_cache
from typing import Any, NamedTuple

import jax
from flax import linen as nn
from jax.tree_util import tree_leaves_with_path

from methods.base import PyTree
from methods.flaxnet import compose, forward, note_shapes, tap_inputs
from methods.paths import flatten, join
from methods.uses.notes import noted
from methods.uses.views import whole
from methods.uses.walk import ACTIVATION, CONSTANT, Use, Value, walk


class Uses(NamedTuple):
    """What one forward does with the weights of a net."""

    order: tuple[tuple[str | None, Use], ...]  # (path of the weight, None for two activations; use), as they run
    stored: dict[str, tuple[int, ...]]  # shape of each weight
    seen: dict[str, tuple[int, ...]]  # shape in which its module sees it: without the axes of nn.scan and nn.vmap


def uses_of(net: nn.Module, variables: PyTree, example: PyTree) -> Uses:
    """Returns the uses of all weights, the leaves of "params", in a forward of one example.

    Args:
      net: whose weights they are.
      variables: of the net, arrays or their shapes and dtypes.
      example: an input, array [B, ...] or a tree of them; only its shape matters, and B does not.
    """
    shapes = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), variables)
    one = jax.tree.map(lambda a: jax.ShapeDtypeStruct((1, *a.shape[1:]), a.dtype), example)
    leaves, structure = jax.tree.flatten((shapes, one))
    return _traced(net, structure, tuple(leaves))


@lru_cache(maxsize=64)
def _traced(net: nn.Module, structure: Any, leaves: tuple) -> Uses:
    variables, x = jax.tree.unflatten(structure, leaves)
    jaxpr, seen = _jaxpr(net, variables, x)
    stored = {path: leaf.shape for path, leaf in flatten(variables["params"]).items()}
    paths = [None, *sorted(stored, key=lambda path: math.prod(stored[path]))]  # by number: the larger, the higher
    views = {f"params/{path}": Value(False, {i: whole(stored[path])}) for i, path in enumerate(paths) if path}
    names = [join(entry.key for entry in path) for path, _ in tree_leaves_with_path(variables)]
    inputs = [views.get(name, CONSTANT) for name in names] + [ACTIVATION] * len(jax.tree.leaves(x))
    return Uses(tuple((paths[use.weight], use) for use in walk(jaxpr, inputs)[1]), stored, seen)


def _jaxpr(net: nn.Module, variables: PyTree, x: PyTree) -> tuple[Any, dict[str, tuple[int, ...]]]:
    """Returns the forward as a jaxpr, and the shapes in which modules see their own weights in it.

    What enters a module is noted there, by its key.
    """
    seen = {}
    tap = compose([note_shapes(seen), tap_inputs(lambda key, x: noted(x, key))])
    return jax.make_jaxpr(lambda v, x: forward(net, v, x, tap=tap)[0])(variables, x), seen
