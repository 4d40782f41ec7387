import numpy as np
import pytest

from leaderboard.statistics import pareto, summarize


def test_std_is_the_sample_one():
    """2, 4, 9: mean 5, squared deviations 9 + 1 + 16 = 26, over n - 1 = 2 is 13."""
    assert summarize([2.0, 4.0, 9.0]) == (5.0, pytest.approx(13**0.5, rel=1e-15), 3)


def test_one_value_has_no_spread():
    assert summarize([0.5]) == (0.5, None, 1)


def test_like_numpy():
    values = np.random.default_rng(0).normal(size=7)
    mean, std, n = summarize(list(values))
    np.testing.assert_allclose([mean, std, n], [values.mean(), values.std(ddof=1), 7], rtol=1e-13)


POINTS = [(10, 0.9), (20, 0.95), (20, 0.9), (30, 0.95), (5, 0.5), (10, 0.9), (4, 0.4)]


def test_pareto_by_hand():
    """(20, 0.9) and (30, 0.95) are beaten by (20, 0.95); the equal (10, 0.9) stand together."""
    assert pareto(POINTS, higher_is_better=True) == [True, True, False, False, True, True, True]


def test_pareto_where_lower_is_better():
    """Of a loss, (4, 0.4) is smallest and best."""
    assert pareto(POINTS, higher_is_better=False) == [False] * 6 + [True]


def test_pareto_of_nothing():
    assert pareto([], higher_is_better=True) == []
