"""Gradual unstructured pruning: while the net recovers, ever more of the smallest weights of each layer are masked.

Zhu & Gupta 2017 (arXiv 1710.01878): the cubic schedule of eq. 1, magnitude per layer, masks renewed every few steps.
Here they are renewed 16 times over the first two thirds of recovery; the last third trains under the final masks.
Without recovery steps the final masks are set at once. The same sparsity in every selected layer, as in the paper.
"""

import jax
import jax.numpy as jnp

from methods.arrays.masks import keep_largest
from methods.arrays.schedules import cubic
from methods.base import Description, Knob, Method, State
from methods.flaxnet import COMPILE_QUICKLY
from methods.paths import KERNELS, flatten, note_left, replace, select, with_params

RENEWALS = 16


def gradual(start, score, selector: str = KERNELS) -> Method:
    """Gradual pruning by any score. Strength: sparsity, the share of each selected weight that is zero.

    start: (key, weights {path: array}) -> what `score` needs, any pytree.
    score: (started, weights) -> {path: array like the weight}; the smallest are pruned.
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
        return problem.net, variables, State(fixed={"sparsity": sparsity, "end": end, "masks": first, "start": started})

    def view(state, params):
        leaves = flatten(params)
        pruned = {path: jnp.where(mask, leaves[path], 0) for path, mask in state.fixed["masks"].items()}
        return replace(params, pruned)

    def update(state, params, grads, step):
        own, end = state.fixed, state.fixed["end"]
        due = (step <= end) & ((step % jnp.maximum(end // RENEWALS, 1) == 0) | (step == end))
        renewed = jax.lax.cond(
            due,
            lambda: masks(own["start"], params, cubic(step, end, own["sparsity"])),
            lambda: own["masks"],
        )
        keep = replace(jax.tree.map(lambda leaf: jnp.ones((), bool), params), renewed)
        return state._replace(fixed={**own, "masks": renewed}), params, keep

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
)
