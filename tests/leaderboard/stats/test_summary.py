import numpy as np
import pytest
from scipy import stats

from leaderboard.stats.summary import summarize


def test_std_is_the_sample_one():
    """2, 4, 9: mean 5, squared deviations 9 + 1 + 16 = 26, over n - 1 = 2 is 13."""
    assert summarize([2.0, 4.0, 9.0])[:3] == (5.0, pytest.approx(13**0.5, rel=1e-15), 3)


def test_interval_of_three_by_the_table():
    """2, 4, 9: 5 ± t · √(13 / 3), with t(0.975; 2) = 4.3027 from a printed table."""
    assert summarize([2.0, 4.0, 9.0])[3:] == pytest.approx((5 - 8.9567, 5 + 8.9567), abs=1e-3)
    assert summarize([2.0, 4.0, 9.0], (0.0, 10.0))[3:] == (0.0, 10.0)


def test_one_value_has_no_spread():
    assert summarize([0.5]) == (0.5, None, 1, None, None)


@pytest.mark.parametrize("n", [2, 9, 20])
def test_like_scipy(n):
    values = np.random.default_rng(0).normal(size=n)
    mean, std, count, low, high = summarize(list(values))
    np.testing.assert_allclose([mean, std, count], [values.mean(), values.std(ddof=1), n], rtol=1e-12)
    wanted = stats.t.interval(0.95, n - 1, values.mean(), stats.sem(values))
    np.testing.assert_allclose([low, high], wanted, rtol=1e-12)


@pytest.mark.parametrize("n", [3, 12])
def test_equal_values_have_no_interval(n):
    """That they agree does not say that all would; the second differ by what floats round."""
    assert summarize([0.5] * n) == (0.5, 0.0, n, None, None)
    assert summarize([0.3] * n + [0.1 + 0.2])[3:] == (None, None)
