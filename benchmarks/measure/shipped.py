"""Whether what ships is what was simulated, and whether it already runs as it would be deployed."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import jax
import numpy as np
from flax import linen as nn

from benchmarks.measure.forward import compile_forward
from leaderboard.record.schema import MOST_ERROR
from methods.base import Method, PyTree, Shipped, State
from methods.flaxnet import forward
from methods.paths import flatten
from methods.transforms.transform import decoded, is_packed

SENTINEL = 1e6
"""From this magnitude on an output is a mark, such as -1e9 for a class that is not allowed: it sets no scale."""


class Mismatch(RuntimeError):
    """What was simulated is not what ships."""


def agreement(method: Method, state: State, trained: Shipped, shipped: Shipped, x: PyTree) -> float:
    """Returns the largest difference between simulated and shipped outputs, relative; see `output_error`.

    Args:
        method: simulates by its view and its tap.
        state: the method's, settled.
        trained: net and variables that the method's export was given.
        shipped: what was read back from the artifact.
        x: a batch of inputs, array [B, ...] or a tree of them.

    Raises Mismatch if that is more than MOST_ERROR, or if the net is the trained one and a weight differs in a bit.
    """
    if shipped.net == trained.net:
        seen = jax.jit(method.view)(state, trained.variables)["params"]
        _compare_weights(seen, decoded(shipped.variables["params"]))
    error = output_error(simulated(method, state, trained)(x), compile_forward(shipped, x).run(x))
    if not error <= MOST_ERROR:
        raise Mismatch(f"shipped outputs differ from simulated ones by {error:.2g}, more than {MOST_ERROR}")
    return error


def simulated(method: Method, state: State, trained: Shipped) -> Callable[[PyTree], PyTree]:
    """Returns the net as it was simulated: inputs, an array [B, ...] or a tree of them -> outputs.

    Args:
        method: simulates by its view and its tap.
        state: the method's, settled.
        trained: net and variables that the method's export is given.
    """
    variables = jax.jit(method.view)(state, trained.variables)
    if method.tap(state) is None:  # then the program is the one that times the net, compiled or needed anyhow
        return lambda x: compile_forward(Shipped(trained.net, variables), x).run(x)
    return lambda x: _tapped(method.tap, trained.net, variables, state, x)


@partial(jax.jit, static_argnums=(0, 1))
def _tapped(tap: Callable, net: nn.Module, variables: PyTree, state: State, x: PyTree) -> PyTree:
    return forward(net, variables, x, tap=tap(state))[0]


def _compare_weights(ran: PyTree, ships: PyTree) -> None:
    ran, ships = flatten(ran), flatten(ships)
    if ran.keys() != ships.keys():
        raise Mismatch(f"weights {sorted(ran.keys() ^ ships.keys())} ran and do not ship, or ship and did not run")
    for path, weight in ran.items():
        if weight.dtype != ships[path].dtype or not np.array_equal(weight, ships[path], equal_nan=True):
            raise Mismatch(f"{path}: the shipped weights differ from those that ran")


def output_error(simulated: PyTree, shipped: PyTree) -> float:
    """Returns the largest difference between two outputs, arrays or trees of them.

    It is relative to the simulated value or, if that is larger, to the typical one: the median magnitude in the array,
    of what is neither 0 nor from SENTINEL on. So neither a mark nor a few large outputs hide what differs beside them.
    Raises Mismatch if structures or shapes differ, or where one is NaN or infinite and the other is not.
    """
    if jax.tree.structure(simulated) != jax.tree.structure(shipped):
        ran, ships = map(jax.tree.structure, (simulated, shipped))
        raise Mismatch(f"shipped outputs are {ships}, simulated ones {ran}")
    return max(map(_array_error, *map(jax.tree.leaves, (simulated, shipped))), default=0.0)


def _array_error(simulated: Any, shipped: Any) -> float:
    ran, ships = (np.asarray(out, np.float64) for out in (simulated, shipped))
    if ran.shape != ships.shape:
        raise Mismatch(f"shipped outputs are of shape {ships.shape}, simulated ones {ran.shape}")
    finite = np.isfinite(ran)
    if not np.array_equal(ran[~finite], ships[~finite], equal_nan=True) or not np.isfinite(ships[finite]).all():
        raise Mismatch("shipped outputs are not NaN or infinite where simulated ones are")
    ran, ships = ran[finite], ships[finite]
    size = np.abs(ran)
    typical = size[(size > 0) & (size < SENTINEL)]
    scale = np.maximum(size, np.median(typical) if typical.size else 1e-30)
    return float(np.max(np.abs(ships - ran) / scale, initial=0.0))


def execution(shipped: Shipped, density: float) -> Literal["simulated", "deployed"]:
    """Returns "deployed" if nothing is rounded, moved or masked, so that what is timed would run; else "simulated"."""
    leaves = jax.tree.leaves(shipped.variables, is_leaf=is_packed)
    rounded = shipped.inputs or any(map(is_packed, leaves))
    return "simulated" if rounded or density < 0.99 else "deployed"
