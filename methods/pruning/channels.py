"""Structured pruning: channels, neurons and heads are removed, and the net becomes that much smaller.

Li et al. 2017 (arXiv 1608.08710, §3.1): s_j = Σ |F_j|, the smallest are pruned at once, then the net recovers.
Channels that live and die together (a residual stream, batch norm and the convolution before it) are scored by the
sum over all weights that produce them. The same kept fraction for every group.

`random_channels`, the control, removes as many arbitrary ones: whether the score matters. Whether the weights that are
kept matter at all is asked by `student`, which stands beside it: a net of the same shape from scratch.
"""

from collections.abc import Callable
from functools import partial

import jax
import numpy as np

from methods.base import RATES, Description, Entry, Method, State
from methods.paths import keys
from methods.structure import KEPT, WIDTHS, Scores, l1_norms, shrink


def channels() -> Method:
    """Returns pruning of channels of small L1 norm. Strength: kept fraction of each group; 1 leaves the net as is."""
    return _removing(lambda key: l1_norms)


def random_channels() -> Method:
    """Returns pruning of arbitrary channels, drawn from the seed. Strength: as that of `channels`."""
    return _removing(lambda key: partial(_drawn, key))


def _drawn(key, groups, leaves):
    """Returns a score in [0, 1), float32 [size], of each channel of each group, whatever the weights."""
    return {name: np.asarray(jax.random.uniform(k, (groups[name].size,))) for name, k in keys(key, groups).items()}


def _removing(scores: Callable[[jax.Array], Scores]) -> Method:
    """Returns the method that keeps the channels of largest score; `scores` takes a key and returns the function."""

    def init(key, problem, variables, strength):
        (fraction,) = strength
        if fraction >= 1:
            return problem.net, variables, State()
        return *shrink(problem.net, variables, fraction, problem.example, scores(key)), State()

    return Method(init=init)


RANDOM_CHANNELS = Entry(
    random_channels,
    Description(
        family="structured pruning",
        knobs=(KEPT,),
        sweep=WIDTHS,
        budget="recovery",
        needs=frozenset({"groups"}),
        changes=frozenset({"shape"}),
        trials=RATES,
    ),
)
CHANNELS = Entry(channels, RANDOM_CHANNELS.about._replace(control="random_channels", paper="li2017pruning"))
