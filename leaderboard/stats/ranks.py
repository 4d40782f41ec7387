"""Ranks as intervals, from the tests of all pairs."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from leaderboard.stats.significance import RISK, holm


class Contrast(NamedTuple):
    """How much better one of a pair is than the other, and the p of "not at all"."""

    gain: float  # below 0 where the other one is better
    p: float


def superior(contrasts: Sequence[Contrast | None], count: int) -> np.ndarray:
    """Returns [i, j]: whether i is told apart from j and better, with Holm's correction over all pairs.

    Args:
        contrasts: of each pair i < j, in the order of `itertools.combinations`; None of a pair that cannot be tested.
        count: how many are compared.
    """
    known = [(pair, c) for pair, c in zip(combinations(range(count), 2), contrasts, strict=True) if c is not None]
    better = np.zeros((count, count), bool)
    for ((i, j), contrast), p in zip(known, holm([c.p for _, c in known]), strict=True):
        if p < RISK and contrast.gain:
            better[(i, j) if contrast.gain > 0 else (j, i)] = True
    return better


def ranks(better: np.ndarray) -> list[tuple[int, int]]:
    """Returns the ranks that each may have, from and to: 1 + those that are better, and count - those that are worse.

    With a risk of 5 % at most, any of these intervals misses the true rank (Mogstad, Romano, Shaikh & Wilhelm 2024,
    Review of Economic Studies 91:476).
    """
    above, below = better.sum(0), better.sum(1)
    return [(1 + int(up), len(better) - int(down)) for up, down in zip(above, below, strict=True)]
