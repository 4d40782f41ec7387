"""Channels scaled: what an input is divided by, weights are multiplied by, and the net stays the function it was.

    Y = (X · diag(s)⁻¹) · (diag(s) · W)                       Xiao et al. 2023 (arXiv 2211.10438, eq. 3)

A channel is an entry of the last axis of what enters a module. Modules that read the same array share s. If a norm made
that array, and nothing else reads it, scale and bias of the norm take the division; else it ships as a `Divide`.

Which of this holds is tried. Powers of two commute with rounding: with random ones for s, the net's outputs are what
they were, bit for bit, or the channels of that array cannot be scaled so.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from methods.base import Fallback, Problem, PyTree
from methods.flaxnet import COMPILE_QUICKLY, compose, forward, transform_inputs
from methods.paths import flatten, replace, with_params
from methods.quantization.grids import module_of
from methods.transforms.divisions import Divide
from methods.uses.sources import sources
from methods.uses.uses import uses_of

Divisions = dict[str, tuple[Divide, ...]]
"""By module path, what its input is divided by."""


class Scaling(NamedTuple):
    """What is scaled together."""

    modules: tuple[str, ...]  # paths of those that read the array
    channels: int
    weights: tuple[tuple[str, int], ...]  # (path, axis of the channels)
    norm: tuple[str, ...] = ()  # paths of the leaves that take the division; none where it ships


def scalings(problem: Problem, variables: PyTree, paths: Sequence[str], channels: Mapping[str, int]) -> list[Scaling]:
    """Returns what can be scaled together; warns of a `Fallback` for modules whose channels cannot.

    Args:
      problem: its net; one batch of its calibration data, on which it is tried; and the tap of the parts before.
      variables: of the net.
      paths: of the weights.
      channels: of the input of each module that owns one of them, by its path; others are left out.
    """
    plan = list(_planned(problem, variables, paths, channels))
    x = next(iter(problem.calibration))["x"]
    outputs = partial(_outputs, problem.net, tap=problem.tap, variables=variables, x=x)
    for i in _failing(plan, outputs):
        plan[i] = plan[i]._replace(norm=())
    left = _failing(plan, outputs)
    if modules := [module for i in left for module in plan[i].modules]:
        said = f"the inputs of {', '.join(modules)} are not scaled: their weights do not scale with them"
        warnings.warn(Fallback(said), stacklevel=2)
    return [one for i, one in enumerate(plan) if i not in left]


def _planned(
    problem: Problem, variables: PyTree, paths: Sequence[str], channels: Mapping[str, int]
) -> Iterator[Scaling]:
    leaves = flatten(variables["params"])
    for source in sources(problem.net, variables, problem.example, channels):
        count = channels[source.readers[0]]
        axes = [
            (path, axis)
            for path in paths
            if module_of(path) in source.readers
            if (axis := _axis(problem, variables, path, count)) is not None
        ]
        own = [path for path in leaves if source.maker is not None and module_of(path) == source.maker]
        norm = own if all(leaves[path].shape == (count,) for path in own) else ()
        if count > 1 and axes:
            yield Scaling(source.readers, count, tuple(axes), tuple(norm))


def _axis(problem: Problem, variables: PyTree, path: str, channels: int) -> int | None:
    """Returns the axis of a weight along which the channels lie, as far as sizes tell: behind those of a window.

    It is summed over; where each channel is convolved by itself, it is the last one.
    """
    shape = flatten(variables["params"])[path].shape
    uses = [use for owner, use in uses_of(problem.net, variables, problem.example).order if owner == path]
    shared = sorted(frozenset().union(*(use.shared or () for use in uses)))
    return next((axis for axis in (*reversed(shared), len(shape) - 1) if shape[axis] == channels), None)


def scaled(
    variables: PyTree, plan: Sequence[Scaling], scales: Sequence[jax.Array]
) -> tuple[dict[str, PyTree], Divisions]:
    """Returns the variables of the same function, and the divisions that they do not hold.

    Args:
      variables: of the net.
      plan: what is scaled together.
      scales: s of each, float32 [C], above 0.
    """
    leaves, divisions = flatten(variables["params"]), {}
    for one, s in zip(plan, scales, strict=True):
        for path, axis in one.weights:
            along = s.reshape([one.channels if i == axis else 1 for i in range(leaves[path].ndim)])
            leaves[path] = (leaves[path] * along).astype(leaves[path].dtype)
        for path in one.norm:
            leaves[path] = (leaves[path] / s).astype(leaves[path].dtype)
        divisions |= {} if one.norm else {module: (Divide(s),) for module in one.modules}
    return with_params(variables, replace(variables["params"], leaves)), divisions


def _failing(plan: Sequence[Scaling], outputs: Callable) -> list[int]:
    """Returns the numbers of the scalings that change the outputs."""
    rng = np.random.default_rng(0)
    powers = [jnp.exp2(jnp.float32(rng.integers(-2, 3, one.channels))) for one in plan]
    ones = [jnp.ones(one.channels) for one in plan]
    if not plan:
        return []
    unscaled = jax.tree.leaves(outputs(tuple(plan), scales=ones))

    def holds(scales):
        found = jax.tree.leaves(outputs(tuple(plan), scales=scales))
        return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(unscaled, found, strict=True))

    if holds(powers):
        return []
    return [i for i, power in enumerate(powers) if not holds([*ones[:i], power, *ones[i + 1 :]])]


@partial(jax.jit, static_argnums=(0, 1), compiler_options=COMPILE_QUICKLY)
def _outputs(net, plan, tap, variables, scales, x):
    variables, divisions = scaled(variables, plan, scales)
    return forward(net, variables, x, tap=compose([tap and tap(), transform_inputs(divisions)]))[0]
