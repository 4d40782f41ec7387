"""Iterative magnitude pruning: train, prune, put the kept weights back to what they were early in training, and again.

Frankle & Carbin 2019 (arXiv 1803.03635, §1): in each round a share of the weights that are left is pruned, those of
smallest |w|, and the others go back. Frankle et al. 2020 (arXiv 1912.05671): not to birth, but to an early step, where
training has become stable. Renda et al. 2020 (arXiv 2003.02389) compare that with fine-tuning.

    s_r = 1 - (1 - s)^(r / (R - 1))    sparsity after round r of R, so that each prunes the same share of what is left

Here weights go back to those that the dense net of the same seed had early, running statistics with them: the latest
that its training has kept, after 5 % of its steps. Scores of all layers are compared with each other, as the papers do
for convolutional nets, but no layer goes below the floor of the suite's "global" allocation.

- `imp`: R rounds share the full budget, from birth. Every round has a whole schedule of its share, from its start,
  where the papers train each round as long as the dense net and go on at the early step of the schedule.
- `imp@reinit`, its control: the same rounds and the same masks, but before the last round, in place of going back, all
  weights are drawn anew. What is left to compare is the weights that a mask belongs to.
- `imp@open`: the papers' budget. One trajectory leads through all strengths of a sweep, mildest first: each starts
  where the one before ended, prunes, goes back, and trains for a whole full budget. The strengths decide how much a
  round prunes; the papers prune 20 % each time.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from methods.arrays.allocation import Allocation
from methods.arrays.masks import masks
from methods.base import Entry, Method, Problem, PyTree, State
from methods.flaxnet import COMPILE_QUICKLY, fresh
from methods.paths import KERNELS, select
from methods.pruning.masked import FROM_BIRTH, Masks, by_rule, prunable, shapes_of, through

ROUNDS = 4
"""Trainings that share the full budget, R; between them, R - 1 prunings."""


class Ticket(NamedTuple):
    """What is fixed during a round."""

    masks: Masks
    sparsity: jax.Array  # in the end, float32 []


def imp(selector: str = KERNELS, allocation: str = "global") -> Method:
    """Returns iterative pruning with rewinding. Strength: sparsity, the share of all selected weights that is zero.

    Args:
      selector: pattern of the paths of the weights to prune.
      allocation: how many each layer keeps: "global", "uniform" or "erk", see `arrays/allocation.py`.
    """
    return _in_rounds(selector, allocation, lambda key, problem, round: _early(problem))


def imp_reinit(selector: str = KERNELS, allocation: str = "global") -> Method:
    """Returns `imp` with weights that are drawn anew before the last round. Strength and options: as those of `imp`."""

    def again(key, problem, round):
        return fresh(problem.net, key, problem.example) if round == ROUNDS - 1 else _early(problem)

    return _in_rounds(selector, allocation, again)


def imp_open(selector: str = KERNELS, allocation: str = "global") -> Method:
    """Returns the pruning and the rewinding of one whole training. Strength and options: as those of `imp`."""

    def init(key, problem, variables, strength):
        (sparsity,) = strength
        weights = prunable(variables, selector)
        kept = by_rule(allocation)(problem, shapes_of(weights), sparsity)
        ticket = Ticket(_smaller(weights, _whole(weights), kept), sparsity)
        return problem.net, _early(problem) if sparsity > 0 else variables, State(fixed=ticket)

    return Method(init=init, **through(lambda state: state.fixed.masks))


def _in_rounds(selector: str, allocation: str, again: Callable[[jax.Array, Problem, int], PyTree]) -> Method:
    """Returns pruning between rounds; `again` (key, problem, round) makes the variables with which the next starts."""

    def init(key, problem, variables, strength):
        return problem.net, variables, State(fixed=Ticket(_whole(prunable(variables, selector)), *strength))

    def settle(key, problem, variables, state, round):
        if round == ROUNDS:
            return problem.net, variables, state
        weights, ticket = select(variables["params"], selector), state.fixed
        kept = by_rule(allocation)(problem, shapes_of(weights), _sparsity(ticket.sparsity, round))
        ticket = ticket._replace(masks=_smaller(weights, ticket.masks, kept))
        return problem.net, again(key, problem, round), State(fixed=ticket)

    return Method(init=init, settle=settle, **through(lambda state: state.fixed.masks))


def _sparsity(final: jax.Array, round: int) -> jax.Array:
    """Returns the sparsity after a round, float32 []; exactly `final` after the last pruning."""
    return final if round == ROUNDS - 1 else 1 - (1 - final) ** (round / (ROUNDS - 1))


def _whole(weights: Mapping[str, jax.Array]) -> Masks:
    return {path: jnp.ones(weight.shape, bool) for path, weight in weights.items()}


@partial(jax.jit, compiler_options=COMPILE_QUICKLY)
def _smaller(weights: Mapping[str, jax.Array], before: Masks, kept: Allocation) -> Masks:
    """Returns the masks of the largest weights among those that `before` has kept."""
    return masks({path: jnp.where(before[path], jnp.abs(weight), -1) for path, weight in weights.items()}, kept)


def _early(problem: Problem) -> PyTree:
    """Returns the latest variables that dense training has kept early; those of birth where it has kept none."""
    return problem.early[max(problem.early)] if problem.early else problem.born


IMP = FROM_BIRTH._replace(rounds=ROUNDS, paper="frankle2019lottery")
METHODS: dict[str, Entry] = {
    "imp": Entry(imp, IMP._replace(control="imp@reinit")),
    "imp@reinit": Entry(imp_reinit, IMP),
    "imp@open": Entry(imp_open, FROM_BIRTH._replace(nested=True, trials=(), paper="frankle2019lottery")),
}
