"""The small net from scratch, the control of distillation: the task's net with a fraction of every group's channels.

It trains for the full budget, as many steps as the dense net and a recovery together, without a teacher.
"""

from typing import cast

import jax
from flax import linen as nn

from methods.base import RATES, Description, Entry, Method, Problem, PyTree, State
from methods.flaxnet import fresh
from methods.structure import KEPT, WIDTHS, Net, resized


def small_net(key: jax.Array, problem: Problem, variables: PyTree, width: jax.Array) -> tuple[nn.Module, PyTree]:
    """Returns an untrained net with `width` of each group's channels; the given net, as it is, if `width` is 1.

    Args:
      key: of the weights.
      problem: its net is the larger one.
      variables: of that net, untrained.
      width: fraction of the channels, float32 [].

    Raises:
      ValueError: the groups do not fit the net, see `resized`.
    """
    if width >= 1:
        return problem.net, variables
    larger = cast("Net", problem.net)  # a task without groups is skipped: see `needs` below
    net, _ = resized(larger, variables, width, problem.example)
    return net, fresh(net, key, problem.example)


def student() -> Method:
    """Returns training from scratch of a small net. Strength: kept fraction of each group; 1 is dense at birth."""

    def init(key, problem, variables, strength):
        (width,) = strength
        return *small_net(key, problem, variables, width), State()

    return Method(init=init)


STUDENT = Entry(
    student,
    Description(
        family="distillation",
        knobs=(KEPT,),
        sweep=WIDTHS,
        budget="full",
        needs=frozenset({"groups"}),
        changes=frozenset({"shape"}),
        trials=RATES,
    ),
)
