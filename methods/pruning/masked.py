"""Gradual unstructured pruning: while the net recovers, ever more of the smallest weights of each layer are masked.

Zhu & Gupta 2017 (arXiv 1710.01878): the cubic schedule of eq. 1, magnitude per layer, masks renewed every few steps.
Here they are renewed 16 times over the first two thirds of recovery; the last third trains under the final masks.
Without recovery steps the final masks are set at once. The same sparsity in every selected layer, as in the paper.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp

from methods.arrays.masks import keep_largest
from methods.arrays.schedules import cubic
from methods.base import RATES, Description, Knob, Method, PyTree, State
from methods.flaxnet import COMPILE_QUICKLY
from methods.paths import KERNELS, flatten, note_left, replace, select, with_params

RENEWALS = 16


class Masking(NamedTuple):
    """What is fixed during training but for the masks, which are renewed."""

    sparsity: jax.Array  # final, float32 []
    end: jax.Array  # the step of the last renewal, int32 []
    masks: Mapping[str, jax.Array]  # by path, bool, True where a weight is kept
    started: PyTree  # what the score needs


def gradual(
    start: Callable[[jax.Array, dict[str, jax.Array]], PyTree],
    score: Callable[[PyTree, dict[str, jax.Array]], dict[str, jax.Array]],
    selector: str = KERNELS,
) -> Method:
    """Returns gradual pruning by any score. Strength: sparsity, the share of each selected weight that is zero.

    Args:
      start: (key, weights by path) -> what `score` needs, any pytree.
      score: (started, weights by path) -> {path: array like the weight}; the smallest are pruned. In-graph.
      selector: pattern of the paths of the weights to prune.
    """

    def masks(started, params, sparsity):
        scores = score(started, select(params, selector))
        return {path: keep_largest(s, sparsity) for path, s in scores.items()}

    renew = jax.jit(masks, compiler_options=COMPILE_QUICKLY)

    def init(key, problem, variables, strength):
        (sparsity,) = strength
        started = start(key, select(variables["params"], selector))
        note_left(variables["params"], selector)
        end = jnp.int32(problem.steps * 2 // 3)
        first = renew(started, variables["params"], cubic(0, end, sparsity))
        return problem.net, variables, State(fixed=Masking(sparsity, end, first, started))

    def view(state, params):
        leaves = flatten(params)
        pruned = {path: jnp.where(mask, leaves[path], 0) for path, mask in state.fixed.masks.items()}
        return replace(params, pruned)

    def update(state, params, grads, step):
        own, end = state.fixed, state.fixed.end
        due = (step <= end) & ((step % jnp.maximum(end // RENEWALS, 1) == 0) | (step == end))
        renewed = jax.lax.cond(
            due,
            lambda: masks(own.started, params, cubic(step, end, own.sparsity)),
            lambda: own.masks,
        )
        keep = replace(jax.tree.map(lambda leaf: jnp.ones((), bool), params), renewed)
        return state._replace(fixed=own._replace(masks=renewed)), params, keep

    def export(state, shipped):
        params = view(state, shipped.variables["params"])
        return shipped._replace(variables=with_params(shipped.variables, params))

    return Method(init=init, view=view, update=update, export=export)


UNSTRUCTURED = Description(
    family="pruning",
    knobs=(Knob("sparsity", 0, 1),),
    sweep=((0.5,), (0.7,), (0.8,), (0.9,), (0.95,), (0.98,)),
    budget="recovery",
    changes=frozenset({"weights"}),
    trials=RATES,
)
