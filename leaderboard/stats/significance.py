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
    """Exact, of `better` against `worse` pairs, ties not counted: min(1, 2 · P(X ≤ min)) with X ~ B(better + worse, ½).

    Where either side of a pair is right or wrong, it is McNemar's test (1947) in its exact form.
    """
    return min(1.0, 2 * float(special.bdtr(min(better, worse), better + worse, 0.5)))


def paired_t(differences: Summary) -> float:
    """Student's t (1908) of at least two differences: t = mean · √n / std, n - 1 degrees of freedom."""
    error = differences.std / math.sqrt(differences.n)
    if error <= ROUNDING * abs(differences.mean):
        return _all_alike(differences.mean, differences.n)
    return 2 * float(special.stdtr(differences.n - 1, -abs(differences.mean / error)))


def normal_tail(mean: float, error: float, n: int) -> float:
    """Of the `mean` of n differences, whose standard error is `error`."""
    if error <= ROUNDING * abs(mean):
        return _all_alike(mean, n)
    return 2 * float(special.ndtr(-abs(mean) / error))


def _all_alike(difference, n):
    """n equal differences have no spread to be measured by; that all have one sign has p = 2 / 2ⁿ."""
    return sign_test(n, 0) if difference else 1.0


def bootstrap_intervals(values: np.ndarray) -> np.ndarray:
    """95 % percentile intervals (Efron 1979) of the mean of each row of `values` [rows, examples]; [rows, 2]."""
    return np.quantile(values @ _weights(values.shape[1]), (0.025, 0.975), axis=1).T


@lru_cache(maxsize=1)
def _weights(examples):
    """[examples, RESAMPLES]: the share of each example in samples drawn with replacement, from a fixed seed."""
    drawn = np.random.default_rng(0).integers(examples, size=(RESAMPLES, examples))
    return np.stack([np.bincount(row, minlength=examples) for row in drawn], axis=1) / examples


def holm(ps: Sequence[float]) -> list[float]:
    """Corrected for the whole family (Holm 1979): of the i-th smallest of m, max over j ≤ i of (m - j + 1) · p_(j),
    at most 1. Those below RISK are told apart, with at most that risk of any false alarm in the family."""
    ps = np.asarray(ps, float)
    order = np.argsort(ps, kind="stable")
    corrected = np.empty_like(ps)
    corrected[order] = np.minimum(1, np.maximum.accumulate(ps[order] * np.arange(len(ps), 0, -1)))
    return corrected.tolist()
