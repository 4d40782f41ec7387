"""Pareto fronts by hand and by their definition."""

import numpy as np

from leaderboard.stats.pareto import pareto

POINTS = [(10, 0.9), (20, 0.95), (20, 0.9), (30, 0.95), (5, 0.5), (10, 0.9), (4, 0.4)]


def test_pareto_by_hand():
    """(20, 0.9) and (30, 0.95) are beaten by (20, 0.95); the equal (10, 0.9) stand together."""
    assert pareto(POINTS, higher_is_better=True) == [True, True, False, False, True, True, True]


def test_pareto_where_lower_is_better():
    """Of a loss, (4, 0.4) is smallest and best."""
    assert pareto(POINTS, higher_is_better=False) == [False] * 6 + [True]


def test_pareto_by_its_definition():
    points = [tuple(pair) for pair in np.random.default_rng(0).integers(8, size=(60, 2)).tolist()]
    beaten = [
        any(c <= cost and q >= quality and (c, q) != (cost, quality) for c, q in points) for cost, quality in points
    ]
    assert pareto(points, higher_is_better=True) == [not b for b in beaten]


def test_pareto_of_nothing():
    assert pareto([], higher_is_better=True) == []
