"""Student's t against SciPy's, the exact bound by its definition, and Holm's correction by hand."""

import math

import numpy as np
import pytest
from scipy import stats

from leaderboard.stats.significance import holm, t_quantile, t_tail, unseen


@pytest.mark.parametrize("df", [1, 2.5, 15, 399, 1e12])
def test_t_like_scipy(df):
    assert t_tail(-0.3, 0.1, df) == t_tail(0.3, 0.1, df) == pytest.approx(2 * stats.t.sf(3, df), rel=1e-6)
    assert t_quantile(df) == pytest.approx(stats.t.ppf(0.975, df), rel=1e-6)
    assert t_quantile(df, 0.05) == pytest.approx(stats.t.ppf(0.95, df), rel=1e-6)


def test_t_by_the_table():
    assert t_quantile(2) == pytest.approx(4.303, abs=5e-4)
    assert t_tail(0.0, 1.0, 5) == 1.0


def test_what_was_not_seen_like_binomtest():
    """None of 400: at most 1 - 0.025^(1/400) = 0.0092."""
    wanted = stats.binomtest(0, 400).proportion_ci(0.95, method="exact").high
    assert unseen(400, 0.025) == pytest.approx(wanted) == pytest.approx(0.00918, abs=1e-5)
    assert (1 - unseen(7, 0.05)) ** 7 == pytest.approx(0.05)


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


def test_holm_like_statsmodels():
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    ps = np.random.default_rng(1).uniform(0, 0.05, 40)
    np.testing.assert_allclose(holm(ps.tolist()), multitest.multipletests(ps, method="holm")[1])
