"""Tests of a difference against SciPy's, and Holm's correction against one worked by hand."""

import math

import numpy as np
import pytest
from scipy import stats

from leaderboard.stats.significance import bootstrap_intervals, holm, normal_tail, paired_t, sign_test
from leaderboard.stats.summary import summarize


def test_mcnemar_by_hand():
    """1 against 5: 2 · (1 + 6) / 64 = 0.21875."""
    assert sign_test(1, 5) == sign_test(5, 1) == pytest.approx(0.21875, abs=1e-15)


@pytest.mark.parametrize(("better", "worse"), [(0, 0), (3, 3), (0, 9), (7, 20), (180, 240), (0, 2000)])
def test_mcnemar_like_binomtest(better, worse):
    wanted = stats.binomtest(better, better + worse, 0.5).pvalue if better + worse else 1.0
    assert sign_test(better, worse) == pytest.approx(wanted, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("n", [2, 3, 12])
def test_t_like_scipy(n):
    a, b = np.random.default_rng(0).normal(size=(2, n))
    assert paired_t(summarize(list(a - b))) == pytest.approx(stats.ttest_rel(a, b).pvalue, rel=1e-9)


def test_equal_differences_are_judged_by_their_sign():
    """Two of one sign have 2 / 2²; five 2 / 2⁵. 0.3 and 0.1 + 0.2 are equal."""
    assert paired_t(summarize([0.0, 0.0])) == normal_tail(0.0, 0.0, 3) == 1.0
    assert paired_t(summarize([0.5, 0.5])) == 0.5
    assert paired_t(summarize([-0.3, -(0.1 + 0.2), -0.3, -0.3, -0.3])) == 0.0625
    assert normal_tail(0.1, 0.0, 5) == 0.0625


def test_normal_tail_by_the_table():
    assert normal_tail(-1.959964, 1.0, 50) == pytest.approx(0.05, abs=1e-7)


def test_bootstrap_like_scipy():
    values = np.random.default_rng(0).exponential(size=(3, 80))
    for row, found in zip(values, bootstrap_intervals(values), strict=True):
        wanted = stats.bootstrap((row,), np.mean, method="percentile", rng=np.random.default_rng(1)).confidence_interval
        np.testing.assert_allclose(found, [wanted.low, wanted.high], atol=0.03)
    np.testing.assert_array_equal(bootstrap_intervals(values), bootstrap_intervals(values))


def test_holm_by_hand():
    """0.01 · 4, 0.02 · 3 and 0.03 · 2 → 0.06 each, then 0.04 · 1 no less than those: 0.06."""
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])


def test_holm_ends_at_one():
    assert holm([0.5, 0.9, 0.6]) == [1.0, 1.0, 1.0]
    assert holm([]) == []


def test_holm_by_its_definition():
    """The largest risk at which the step-down procedure still accepts, found by trying risks."""
    ps = np.random.default_rng(0).uniform(0, 0.2, 6)
    for risk in np.linspace(0.01, 0.99, 99):
        rejected, order = set(), np.argsort(ps)
        for step, i in enumerate(order):
            if ps[i] * (len(ps) - step) > risk:
                break
            rejected.add(i)
        assert {i for i, p in enumerate(holm(ps)) if p <= risk and not math.isclose(p, risk)} <= rejected
        assert rejected <= {i for i, p in enumerate(holm(ps)) if p <= risk + 1e-12}
