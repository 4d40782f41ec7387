"""RigL: sparse from birth, and rewired while it trains. Evci et al. 2020 (arXiv 1911.11134, §3, algorithm 1).

Every few steps each layer drops the share f of its kept weights that are smallest in |w|, and grows as many where the
gradient |∂L/∂w|, that of masked weights too, is largest. Grown weights start at 0.

    f(t) = α/2 · (1 + cos(π t / T_end)),   t < T_end

Layers are sparse by the Erdős-Rényi-kernel rule, at random places, and stay exactly as sparse as they are; α = 0.3 and
T_end is three quarters of training, as in the paper. Deviations: a net is rewired a fixed number of times, evenly until
T_end, where the paper does it every 100 steps of 32,000 or more, since here trainings have some thousand; the step of
the optimizer is taken then as well, before; gradients are those of one batch, at the weights before that step.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from methods.arrays.masks import rewired
from methods.arrays.schedules import half_cosine, is_due
from methods.base import Entry, Method, Settings, State
from methods.paths import KERNELS, flatten, replace
from methods.pruning.masked import FROM_BIRTH, Masks, by_rule, keep, prunable, shapes_of, through
from methods.pruning.random_weights import drawn_masks

RENEWALS = 24
TRIALS: tuple[Settings, ...] = tuple(
    (("rate", rate), ("fraction", fraction))
    for rate, fraction in ((1.0, 0.3), (2.0, 0.3), (0.5, 0.3), (1.0, 0.5), (2.0, 0.5))
)


class Rewiring(NamedTuple):
    """What is fixed during training but for the masks. Numbers are arrays: one compiled step serves all of them."""

    masks: Masks
    end: jax.Array  # T_end, int32 []
    fraction: jax.Array  # α, float32 []


def rigl(selector: str = KERNELS, allocation: str = "erk", fraction: float = 0.3) -> Method:
    """Returns sparse training. Strength: sparsity, the share of all selected weights that is zero.

    Args:
      selector: pattern of the paths of the weights to prune.
      allocation: how many each layer keeps: "erk" (the paper's), "uniform" or "global", see `arrays/allocation.py`.
      fraction: α, the share of its kept weights that a layer replaces at first.
    """

    def init(key, problem, variables, strength):
        (sparsity,) = strength
        weights = prunable(variables, selector)
        kept = by_rule(allocation)(problem, shapes_of(weights), sparsity)
        first = drawn_masks(key, weights, kept)
        fixed = Rewiring(first, jnp.int32(problem.steps * 3 // 4), jnp.float32(fraction))
        return problem.net, variables, State(fixed=fixed)

    return Method(init=init, update=_update, **through(lambda state: state.fixed.masks))


def _update(state, seen, params, grads, step):
    own: Rewiring = state.fixed
    weights, slopes = flatten(params), flatten(grads)

    def renewed():
        share = own.fraction * half_cosine(step, own.end)
        return {p: rewired(mask, abs(weights[p]), abs(slopes[p]), share) for p, mask in own.masks.items()}

    due = is_due(step, own.end, RENEWALS) & (step < own.end)
    now = jax.lax.cond(due, renewed, lambda: own.masks)
    grown = {path: jnp.where(now[path] & ~mask, 0, weights[path]) for path, mask in own.masks.items()}
    return state._replace(fixed=own._replace(masks=now)), replace(params, grown), keep(now, params)


RIGL = Entry(rigl, FROM_BIRTH._replace(control="random@rigl", trials=TRIALS, paper="evci2020rigging"))
