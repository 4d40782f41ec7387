"""Mean, spread and interval over seeds alone."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from leaderboard.stats.significance import t_quantile

ROUNDING = 1e-9
"""A spread below this share of the mean is that of floats, not of data."""
ANYWHERE = (-math.inf, math.inf)


class Summary(NamedTuple):
    """Mean of n values, their sample standard deviation (n - 1 in the denominator) and the 95 % interval of the mean.

    std is None where n = 1, the interval where there is nothing to judge it by.
    """

    mean: float
    std: float | None
    n: int
    low: float | None
    high: float | None


def summarize(values: Sequence[float], possible: tuple[float, float] = ANYWHERE) -> Summary:
    """Returns mean ± t(0.975; n - 1) · std / √n (Student 1908) of at least one value.

    Sums are exactly rounded, so that a page is the same on every machine. Equal values have no interval: that seeds
    agree does not say that all seeds would. What is outside of `possible` is cut off: it cannot be, so nothing is lost.
    """
    n, average, std = len(values), mean(values), spread(values)
    if std is None or std <= ROUNDING * abs(average):
        return Summary(average, std, n, None, None)
    half = t_quantile(n - 1) * std / math.sqrt(n)
    return Summary(average, std, n, max(average - half, possible[0]), min(average + half, possible[1]))


def mean(values: Sequence[float]) -> float:
    """Returns the mean of at least one value, from an exactly rounded sum."""
    return math.fsum(values) / len(values)


def spread(values: Sequence[float]) -> float | None:
    """Returns the sample standard deviation; None of a single value."""
    if len(values) == 1:
        return None
    average = mean(values)
    return math.sqrt(math.fsum((value - average) ** 2 for value in values) / (len(values) - 1))
