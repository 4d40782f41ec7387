"""Mean, spread and interval over seeds."""

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy import special

ENOUGH = 10
"""Values from which on a bootstrap of the mean is trusted; of fewer it is too narrow, and Student's t is used."""
LEVEL = 0.95
ROUNDING = 1e-9
"""A spread below this share of the mean is that of floats, not of data."""


class Summary(NamedTuple):
    """Mean of n values, their sample standard deviation (n - 1 in the denominator) and the 95 % interval of the mean.

    The last three are None where n = 1.
    """

    mean: float
    std: float | None
    n: int
    low: float | None
    high: float | None


def summarize(values: Sequence[float]) -> Summary:
    """Summarizes at least one value. Sums are exactly rounded, so that a page is the same on every machine."""
    n, average = len(values), mean(values)
    if n == 1:
        return Summary(average, None, 1, None, None)
    std = math.sqrt(math.fsum((value - average) ** 2 for value in values) / (n - 1))
    flat = std <= ROUNDING * abs(average)
    low, high = _student(average, std, n) if n < ENOUGH or flat else _bootstrap(values, average, std)
    return Summary(average, std, n, low, high)


def mean(values: Sequence[float]) -> float:
    """Returns the mean of at least one value, from an exactly rounded sum."""
    return math.fsum(values) / len(values)


def _student(average, std, n):
    """Returns the interval mean ± t(0.975; n - 1) · std / √n (Student 1908)."""
    half = quantile(n - 1) * std / math.sqrt(n)
    return average - half, average + half


@cache
def quantile(df: int) -> float:
    """Returns the quantile of Student's t with `df` degrees of freedom that bounds the middle 95 %."""
    return float(special.stdtrit(df, (1 + LEVEL) / 2))


def _bootstrap(values, average, std):
    """Returns the bias-corrected and accelerated interval (Efron 1987) of 9,999 resamples, always the same ones.

    Values are standardized first: tiny ones would underflow.
    """
    from scipy import stats  # takes a second to load, and few tables need it

    scaled = [(value - average) / std for value in values]
    found = stats.bootstrap((scaled,), np.mean, confidence_level=LEVEL, method="BCa", rng=np.random.default_rng(0))
    low, high = found.confidence_interval
    return average + std * float(low), average + std * float(high)
