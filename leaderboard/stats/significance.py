"""Tests of a paired difference, and Holm's correction of many. Every p is two-sided."""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy import special

from leaderboard.stats.summary import ROUNDING, Summary

RISK = 0.05
"""Told apart where the corrected p is below it."""
RESAMPLES = 1000


def sign_test(better: int, worse: int) -> float:
    """Returns the exact p of `better` against `worse` pairs: min(1, 2 · P(X ≤ min)) with X ~ B(better + worse, ½).

    Ties are not counted. Where either side of a pair is right or wrong, it is McNemar's test (1947) in its exact form.
    """
    return min(1.0, 2 * float(special.bdtr(min(better, worse), better + worse, 0.5)))


def paired_t(differences: Summary) -> float:
    """Returns the p of Student's t (1908) of at least two differences.

    t = mean · √n / std with n - 1 degrees of freedom.
    """
    if differences.std is None:
        raise ValueError("one difference has no spread, so there is no t")
    error = differences.std / math.sqrt(differences.n)
    if error <= ROUNDING * abs(differences.mean):
        return _all_alike(differences.mean, differences.n)
    return 2 * float(special.stdtr(differences.n - 1, -abs(differences.mean / error)))


def normal_tail(mean: float, error: float, n: int) -> float:
    """Returns the p of a normal test that the mean of n differences is zero.

    Args:
        mean: of the differences.
        error: standard error of that mean.
        n: number of differences; it matters only where they are all alike and `error` is zero.
    """
    if error <= ROUNDING * abs(mean):
        return _all_alike(mean, n)
    return 2 * float(special.ndtr(-abs(mean) / error))


def _all_alike(difference, n):
    """Returns 2 / 2ⁿ, the p of one sign for all: n equal differences have no spread to be measured by."""
    return sign_test(n, 0) if difference else 1.0


def bootstrap_intervals(values: np.ndarray) -> np.ndarray:
    """Returns 95 % percentile intervals (Efron 1979) of the mean of each row: [rows, examples] → [rows, 2]."""
    return np.quantile(values @ _weights(values.shape[1]), (0.025, 0.975), axis=1).T


@lru_cache(maxsize=1)
def _weights(examples):
    """Returns [examples, RESAMPLES]: the share of each example in samples drawn with replacement, by a fixed seed."""
    drawn = np.random.default_rng(0).integers(examples, size=(RESAMPLES, examples))
    return np.stack([np.bincount(row, minlength=examples) for row in drawn], axis=1) / examples


def holm(ps: Sequence[float]) -> list[float]:
    """Returns p-values corrected for the whole family (Holm 1979).

    The i-th smallest of m becomes the maximum over j ≤ i of (m - j + 1) · p_(j), at most 1. Those below RISK are told
    apart, with at most that risk of any false alarm in the family.
    """
    family = np.asarray(ps, float)
    order = np.argsort(family, kind="stable")
    corrected = np.empty_like(family)
    corrected[order] = np.minimum(1, np.maximum.accumulate(family[order] * np.arange(len(family), 0, -1)))
    return corrected.tolist()
