"""The small net from scratch, the control of distillation: the task's net with a fraction of every group's channels.

It trains for the recovery budget, without a teacher.
"""

from methods.base import Description, Entry, Method, State
from methods.flaxnet import fresh
from methods.structure import KEPT, WIDTHS, kept_size


def small_net(key, problem, variables, width):
    """A fresh net with `width` of each group's channels; the given one if `width` is 1."""
    if width >= 1:
        return problem.net, variables
    net = problem.net.resize({name: kept_size(g.size, width) for name, g in problem.net.groups().items()})
    return net, fresh(net, key, problem.example)


def student() -> Method:
    """Strength: kept fraction of the channels. 1 leaves the net as it is."""

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
        budget="recovery",
        needs=frozenset({"groups"}),
        changes=frozenset({"shape"}),
    ),
)
