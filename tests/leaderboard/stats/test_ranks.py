"""Ranks from all pairs, by hand and by their definition; on a board in test_budgets.py."""

from itertools import combinations

import numpy as np
from scipy import stats

from leaderboard.stats.ranks import Contrast, ranks, superior


def of(gains, ps):
    return superior([Contrast(*pair) for pair in zip(gains, ps, strict=True)], 3)


def test_ranks_by_hand():
    """Pairs 01, 02, 12. Only 0 is better than 2: 0.01 · 3 < 0.05, and 0.03 · 2 is not."""
    assert ranks(of([0.1, 0.3, 0.2], [0.4, 0.01, 0.03])) == [(1, 2), (1, 3), (2, 3)]


def test_holm_steps_down():
    """0.01 · 3, then 0.02 · 2, then 0.04 · 1."""
    assert ranks(of([0.1, 0.3, 0.2], [0.04, 0.01, 0.02])) == [(1, 1), (2, 2), (3, 3)]


def test_the_sign_is_that_of_the_difference():
    """0 stands before 1, and 1 is better."""
    assert ranks(of([-0.1, 0.1, 0.2], [0.001, 0.9, 0.9])) == [(2, 3), (1, 2), (1, 3)]


def test_a_difference_of_nothing_is_none():
    assert ranks(of([0.0, 0.0, 0.0], [0.001, 0.001, 0.001])) == [(1, 3)] * 3


def test_pairs_that_cannot_be_tested_count_for_no_one():
    """Nor for the correction: of two tests, 0.02 · 2."""
    found = superior([None, Contrast(0.3, 0.02), Contrast(0.2, 0.9)], 3)
    assert ranks(found) == [(1, 2), (1, 3), (2, 3)]
    assert ranks(superior([], 1)) == [(1, 1)]
    assert ranks(superior([], 0)) == []


def test_ranks_hold_the_true_ones():
    """Eight means one standard error apart, measured 400 times: any interval misses in 5 % of the times at most."""
    rng, truth = np.random.default_rng(0), np.arange(8.0)
    missed = 0
    for _ in range(400):
        seen = truth + rng.normal(size=8) / np.sqrt(2)
        pairs = [seen[i] - seen[j] for i, j in combinations(range(8), 2)]
        found = ranks(superior([Contrast(gain, 2 * stats.norm.sf(abs(gain))) for gain in pairs], 8))
        missed += any(not low <= 8 - i <= high for i, (low, high) in enumerate(found))
    assert missed / 400 <= 0.05
