"""Grids on weights and on module inputs: the view, the tap and the export that quantization methods share."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from methods.arrays.blocks import Blocks
from methods.base import Interceptor, Knob, Problem, PyTree, Shipped, State
from methods.flaxnet import COMPILE_QUICKLY, forward, is_float, tap_inputs, transform_inputs
from methods.paths import KERNELS, flatten, note_left, replace, select, with_params
from methods.transforms.grids import Quantizer, symmetric
from methods.transforms.transform import Transform, unpack
from methods.uses.axes import edges, output_axes, shared_axes

BITS = Knob("bits", 2, 32, whole=True)
SWEEP = ((8.0,), (6.0,), (5.0,), (4.0,), (3.0,), (2.0,))


class Grids(NamedTuple):
    """What weights and module inputs go through."""

    weights: Mapping[str, Transform]  # by leaf path
    inputs: Mapping[str, tuple[Transform, ...]]  # in order, by module path; see `Shipped.inputs`


NO_GRIDS = Grids({}, {})
"""Nothing is rounded."""


def module_of(path: str) -> str:
    """Returns "block0/mlp/up" for "block0/mlp/up/kernel"."""
    return path.rpartition("/")[0]


def chosen(params: PyTree, selector: str) -> dict[str, jax.Array]:
    """Returns the weights to round, by path; warns of a `Fallback` where the default selector leaves a matrix out."""
    weights = select(params, selector)
    if selector == KERNELS:
        note_left(params, selector)
    return weights


def bits_of(
    problem: Problem, variables: PyTree, paths: Iterable[str], bits: jax.Array, edge_bits: int
) -> dict[str, jax.Array]:
    """Returns the bits of each weight, by path: one rule for the edge layers of all quantizers.

    Args:
      problem: its net and example say which weight is used first and which last.
      variables: of the net.
      paths: of the weights that are rounded.
      bits: the strength.
      edge_bits: of the first and the last weight, where that is more than the strength; 0 makes no exception.
    """
    paths = list(paths)
    raised = edges(problem.net, variables, problem.example, paths) if edge_bits else ()
    return {path: jnp.maximum(bits, edge_bits) if path in raised else bits for path in paths}


def min_max(
    problem: Problem,
    variables: PyTree,
    weights: dict[str, jax.Array],
    bits: dict[str, jax.Array],
    group: int = 0,
) -> dict[str, Quantizer]:
    """Returns the min-max grid of each weight, with a scale for each entry along its output axes.

    Args:
      problem: its net and example say which axes these are.
      variables: of the net.
      weights: by path.
      bits: of each, by path.
      group: how many weights of an output channel share a scale; 0 for all of them.
    """
    axes = output_axes(problem.net, variables, problem.example, weights)
    return _min_max(weights, bits, tuple(axes.items()), group)


@partial(jax.jit, static_argnums=(2, 3), compiler_options=COMPILE_QUICKLY)
def _min_max(weights, bits, axes, group):
    return {path: symmetric(weights[path], bits[path], kept, group) for path, kept in axes}


def blocks_of(problem: Problem, variables: PyTree, paths: Iterable[str], size: int) -> dict[str, Blocks]:
    """Returns the blocks of each weight, by path: along what one product sums over, or along a row that is looked up.

    Where these are several axes, as in a convolution, they are run together in their order.

    Args:
      problem: its net and example say which axes these are.
      variables: of the net.
      paths: of the weights.
      size: of a block; the last one of a row may be shorter.
    """
    leaves = flatten(variables["params"])
    shared = shared_axes(problem.net, variables, problem.example, paths)
    return {path: Blocks(axes or (leaves[path].ndim - 1,), size) for path, axes in shared.items()}


def float_inputs(problem: Problem, variables: PyTree, modules: Iterable[str]) -> list[str]:
    """Returns which of the modules an array of floats enters, sorted.

    Args:
      problem: its net and example say what enters.
      variables: of the net.
      modules: their paths.
    """
    entered = set()

    def enter(path, x):
        entered.update([path] if is_float(x) else [])
        return x

    tap = tap_inputs(enter, frozenset(modules))
    jax.eval_shape(lambda v, x: forward(problem.net, v, x, tap=tap)[0], variables, problem.example)
    return sorted(entered)


def view(grids: Grids, variables: PyTree) -> PyTree:
    """Returns `variables` with each weight as its transform makes it."""
    leaves = flatten(variables["params"])
    rounded = {path: transform(leaves[path]) for path, transform in grids.weights.items()}
    return with_params(variables, replace(variables["params"], rounded))


def tap(grids: Grids) -> Interceptor | None:
    """Returns the interceptor that transforms module inputs, or None if none is transformed."""
    return transform_inputs(grids.inputs)


def export(grids: Grids, shipped: Shipped) -> Shipped:
    """Returns `shipped` with packed weights, and with what inputs go through after what they went through before.

    A weight that is packed already, as N:M ships it, is unpacked first: codes and places do not go together.
    """
    leaves = flatten(shipped.variables["params"])
    packed = {path: transform.pack(unpack(leaves[path])) for path, transform in grids.weights.items()}
    variables = with_params(shipped.variables, replace(shipped.variables["params"], packed))
    inputs = dict(shipped.inputs)
    for key, transforms in grids.inputs.items():
        if changing := tuple(one for one in transforms if not bool(one.passes())):
            inputs[key] = (*inputs.get(key, ()), *changing)
    return shipped._replace(variables=variables, inputs=inputs)


def through(current: Callable[[State], Grids]) -> dict[str, Any]:
    """Returns the view, tap and export of a method whose grids are `current(state)`."""
    return {
        "view": lambda state, variables: view(current(state), variables),
        "tap": lambda state: tap(current(state)),
        "export": lambda state, shipped: export(current(state), shipped),
    }
