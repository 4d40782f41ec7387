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


def randomization_test(sums: np.ndarray) -> float:
    """Returns the exact p of |Σ ±d| ≥ |Σ d| where each d has either sign by a fair coin of its own.

    Args:
        sums: int [K], the differences d of the clusters, each summed over its examples.
    """
    steps, total = np.abs(sums[sums != 0]).tolist(), int(np.abs(sums).sum())
    chance = np.ones(1)  # of each sum of the positive ones, from 0
    for step in steps:
        chance = (np.pad(chance, (0, step)) + np.pad(chance, (step, 0))) / 2
    extreme = np.abs(2 * np.arange(total + 1) - total) >= abs(int(sums.sum()))
    return min(1.0, float(chance[extreme].sum()))


def standard_error(values: np.ndarray, sizes: np.ndarray | None = None) -> float:
    """Returns the standard error of a mean over N examples.

    Of independent examples it is the bootstrap's, √Σ(v - v̄)² / N; of K clusters with sums v and sizes n the
    cluster-robust one, √(K / (K - 1) · Σ(v - n·v̄)²) / N, and 0 of one cluster.

    Args:
        values: of each example, or their sum in each cluster.
        sizes: examples of each cluster; None where each value is that of one example.
    """
    values = values.astype(np.float32 if values.dtype == np.int16 else float)  # float32 is exact on small integers
    if sizes is None:
        values -= values.mean()
        return math.sqrt(float(values @ values)) / len(values)
    values -= sizes * (values.sum() / sizes.sum())
    few = len(values) / max(1, len(values) - 1)
    return math.sqrt(few * float(values @ values)) / float(sizes.sum())


def paired_t(differences: Summary) -> float:
    """Returns the p of Student's t (1908) of at least two differences.

    t = mean · √n / std with n - 1 degrees of freedom.
    """
    if differences.std is None:
        raise ValueError("one difference has no spread, so there is no t")
    return t_tail(differences.mean, differences.std / math.sqrt(differences.n), differences.n)


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


def t_tail(mean: float, error: float, n: int) -> float:
    """Returns the p of a t test with n - 1 degrees of freedom that a mean is zero.

    Args:
        mean: of the differences.
        error: standard error of that mean.
        n: number of independent differences; of one there is no spread, and p is 1.
    """
    if n < 2 or error <= ROUNDING * abs(mean):
        return _all_alike(mean, n)
    return 2 * float(special.stdtr(n - 1, -abs(mean / error)))


def _all_alike(difference, n):
    """Returns 2 / 2ⁿ, the p of one sign for all: n equal differences have no spread to be measured by."""
    return sign_test(n, 0) if difference else 1.0


def bootstrap_intervals(values: np.ndarray, sizes: np.ndarray | None = None) -> np.ndarray:
    """Returns 95 % percentile intervals (Efron 1979) of the mean over examples of each row: [rows, N] → [rows, 2].

    Args:
        values: of each example, or their sum in each cluster.
        sizes: examples of each cluster, which is drawn as a whole; None where each value is that of one example.
    """
    drawn = _weights(values.shape[1])
    means = values @ drawn if sizes is None else (values @ drawn) / (sizes @ drawn)
    return np.quantile(means, (0.025, 0.975), axis=1).T


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
