"""Pruning by masks: what all methods that mask weights share, and two ways to come by the masks.

`fixed`: they are chosen once, before training. `gradual`: while the net recovers, ever more of the weights of smallest
score are masked.

Zhu & Gupta 2017 (arXiv 1710.01878) prune gradually: the cubic schedule of eq. 1, masks renewed every few steps. Here
they are renewed 16 times over the first two thirds of recovery; the last third trains under the final masks. Without
recovery steps the final masks are set at once. How many weights each layer keeps is an allocation, see
`methods/arrays/allocation.py`: by default the scores of all layers are compared with each other, where the paper has
one sparsity for every layer, which at high sparsities leaves next to nothing of small layers.
"""

import warnings
from collections.abc import Callable, Mapping
from functools import partial
from math import prod
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from methods.arrays.allocation import RULES, Allocation, Shapes, allocate, kept_count, partway
from methods.arrays.masks import masks
from methods.arrays.schedules import cubic, is_due
from methods.base import RATES, Description, Fallback, Knob, Method, OptionError, Problem, PyTree, State
from methods.flaxnet import COMPILE_QUICKLY
from methods.paths import KERNELS, flatten, note_left, replace, select, with_params

RENEWALS = 16
Allocate = Callable[[Problem, Shapes, jax.Array], Allocation]
Masks = Mapping[str, jax.Array]
"""By path, bool, True where a weight is kept; they broadcast against the weights."""


class Masking(NamedTuple):
    """What is fixed during training but for the masks, which are renewed."""

    final: Allocation  # what is kept in the end
    end: jax.Array  # the step of the last renewal, int32 []
    masks: Masks
    started: PyTree  # what the score needs


def masked(masks: Masks, variables: PyTree) -> PyTree:
    """Returns `variables` with zeros where a weight is masked."""
    leaves = flatten(variables["params"])
    pruned = {path: jnp.where(mask, leaves[path], 0) for path, mask in masks.items()}
    return with_params(variables, replace(variables["params"], pruned))


def keep(masks: Masks, params: PyTree) -> PyTree:
    """Returns what `update` says is kept: all that is not masked."""
    return replace(jax.tree.map(lambda leaf: jnp.ones((), bool), params), masks)


def through(current: Callable[[State], Masks]) -> dict[str, Any]:
    """Returns the view and export of a method whose masks are `current(state)`."""
    return {
        "view": lambda state, variables: masked(current(state), variables),
        "export": lambda state, shipped: shipped._replace(variables=masked(current(state), shipped.variables)),
    }


def fixed(
    choose: Callable[[jax.Array, Problem, PyTree, tuple[jax.Array, ...]], Any],
    current: Callable[[Any], Masks] = lambda chosen: chosen,
) -> Method:
    """Returns pruning by masks that are chosen before training and stay.

    Args:
      choose: (key, problem, variables, strength), as `init` is called -> what stays. Not in-graph.
      current: what stays -> its masks, where that is more than masks.
    """

    def init(key, problem, variables, strength):
        return problem.net, variables, State(fixed=choose(key, problem, variables, strength))

    def update(state, seen, params, grads, step):
        return state, params, keep(current(state.fixed), params)

    return Method(init=init, update=update, **through(lambda state: current(state.fixed)))


def prunable(variables: PyTree, selector: str) -> dict[str, jax.Array]:
    """Returns the weights that may be pruned, by path; warns of a `Fallback` where `selector` leaves matrices out.

    Raises OptionError where it matches nothing.
    """
    weights = select(variables["params"], selector)
    note_left(variables["params"], selector)
    return weights


def shapes_of(weights: Mapping[str, jax.Array]) -> Shapes:
    """Returns the shapes of the weights, by path."""
    return {path: weight.shape for path, weight in weights.items()}


def by_rule(rule: str) -> Allocate:
    """Returns the allocation of the overall sparsity by a rule; it raises OptionError if there is no such rule."""
    return partial(_allocated, rule)


def _allocated(rule: str, problem: Problem, shapes: Shapes, sparsity: jax.Array) -> Allocation:
    if rule not in RULES:
        raise OptionError(f"allocation {rule!r} is none of {', '.join(RULES)}")
    size = sum(map(prod, shapes.values()))
    if 0 < (kept := kept_count(sparsity, size)) < len(shapes):
        left = f"{kept} of {size} weights are kept in {len(shapes)} layers: {len(shapes) - kept} or more keep none"
        warnings.warn(Fallback(left), stacklevel=2)
    return allocate(shapes, sparsity, rule)


def gradual(
    start: Callable[[jax.Array, dict[str, jax.Array]], PyTree],
    score: Callable[[PyTree, dict[str, jax.Array]], dict[str, jax.Array]],
    allocation: Allocate,
    selector: str = KERNELS,
) -> Method:
    """Returns gradual pruning by any score. Strength: sparsity, the share of all selected weights that is zero.

    Args:
      start: (key, weights by path) -> what `score` needs, any pytree.
      score: (started, weights by path) -> {path: array like the weight}; the smallest are pruned. In-graph.
      allocation: (problem, shapes by path, sparsity) -> what is kept in the end. Not in-graph.
      selector: pattern of the paths of the weights to prune.
    """

    def renewed(started, params, final, done):
        weights = select(params, selector)
        now = partway(final, {path: weight.size for path, weight in weights.items()}, done)
        return masks(score(started, weights), now)

    renew = jax.jit(renewed, compiler_options=COMPILE_QUICKLY)

    def init(key, problem, variables, strength):
        (sparsity,) = strength
        weights = prunable(variables, selector)
        final = allocation(problem, shapes_of(weights), sparsity)
        started, end = start(key, weights), jnp.int32(problem.steps * 2 // 3)
        first = renew(started, variables["params"], final, cubic(0, end))
        return problem.net, variables, State(fixed=Masking(final, end, first, started))

    def update(state, seen, params, grads, step):
        own = state.fixed
        now = jax.lax.cond(
            is_due(step, own.end, RENEWALS),
            lambda: renewed(own.started, params, own.final, cubic(step, own.end)),
            lambda: own.masks,
        )
        return state._replace(fixed=own._replace(masks=now)), params, keep(now, params)

    return Method(init=init, update=update, **through(lambda state: state.fixed.masks))


UNSTRUCTURED = Description(
    family="pruning",
    knobs=(Knob("sparsity", 0, 1),),
    sweep=((0.5,), (0.7,), (0.8,), (0.9,), (0.95,), (0.98,)),
    budget="recovery",
    changes=frozenset({"weights"}),
    trials=RATES,
)
"""From the dense net, with its recovery."""
FROM_BIRTH = UNSTRUCTURED._replace(budget="full")
"""From the net as it was born, in place of dense training."""
