"""Rounding after the last step: what post-training methods share that only differ in what they round onto."""

from collections.abc import Callable
from typing import NamedTuple

import jax
from jax.tree_util import Partial

from methods.base import Method, Problem, PyTree, State
from methods.calibration.batch_norm import reestimate
from methods.flaxnet import COMPILE_QUICKLY, together
from methods.paths import with_params
from methods.quantization.grids import NO_GRIDS, Grids, tap, through, view

_view = jax.jit(view, compiler_options=COMPILE_QUICKLY)


class Rounding(NamedTuple):
    """What is fixed: the strength, and what `settle` makes of it; nothing is rounded before."""

    strength: tuple[jax.Array, ...]  # float32 scalars
    grids: Grids | None = None


def _current(state: State) -> Grids:
    return state.fixed.grids or NO_GRIDS


def rounding(grids_of: Callable[[Problem, PyTree, tuple[jax.Array, ...]], Grids], *, norms: bool = False) -> Method:
    """Returns the method that rounds weights and inputs once training is over, if there is any.

    Args:
      grids_of: (problem, variables that run, strength) -> what weights and inputs go through.
      norms: whether batch norm's running statistics are estimated again afterwards, where anything is rounded.
    """

    def init(key, problem, variables, strength):
        return problem.net, variables, State(fixed=Rounding(strength))

    def settle(key, problem, variables, state, round):
        grids = grids_of(problem, variables, state.fixed.strength)
        if norms and not all(bool(one.passes()) for one in grids.weights.values()):
            variables = _renewed(problem, variables, grids)
        return problem.net, variables, State(fixed=Rounding(state.fixed.strength, grids))

    return Method(init=init, settle=settle, **through(_current))


def _renewed(problem: Problem, variables: PyTree, grids: Grids) -> PyTree:
    """Returns `variables` with the running statistics of the net that `grids` round; the weights stay as they are."""
    maker = together(problem.tap, Partial(tap, grids))
    renewed = reestimate(problem.net, _view(grids, variables), problem.calibration, maker)
    return with_params(renewed, variables["params"])
