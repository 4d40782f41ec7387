"""Structured pruning: channels, neurons and heads of small L1 norm are removed, and the net becomes that much smaller.

Li et al. 2017 (arXiv 1608.08710, §3.1): s_j = Σ |F_j|, the smallest are pruned at once, then the net recovers.
Channels that live and die together (a residual stream, batch norm and the convolution before it) are scored by the
sum over all weights that produce them. The same kept fraction for every group.
"""

from methods.base import RATES, Description, Entry, Method, State
from methods.structure import KEPT, WIDTHS, shrink


def channels() -> Method:
    """Returns pruning of channels. Strength: kept fraction of each group; 1 leaves the net as it is."""

    def init(key, problem, variables, strength):
        (fraction,) = strength
        if fraction >= 1:
            return problem.net, variables, State()
        return *shrink(problem.net, variables, fraction, problem.example), State()

    return Method(init=init)


CHANNELS = Entry(
    channels,
    Description(
        family="structured pruning",
        knobs=(KEPT,),
        sweep=WIDTHS,
        budget="recovery",
        needs=frozenset({"groups"}),
        changes=frozenset({"shape"}),
        control="student",
        trials=RATES,
        paper="li2017pruning",
    ),
)
