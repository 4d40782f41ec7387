"""Interquartile means, their intervals and profiles, against numbers worked by hand and SciPy."""

import numpy as np
import pytest
from scipy import stats

from leaderboard.board.aggregate import aggregate, interval, iqm, profiles
from leaderboard.board.board import boards
from leaderboard.render import pages


def test_iqm_by_hand():
    """Of 0 to 7, a quarter is 2: the mean of 2, 3, 4 and 5 is 3.5. Of five values one is cut off each end."""
    assert iqm([(0, 7, 2), (5, 4, 3, 1, 6)]) == 3.5
    assert iqm([(0, 1, 100), (2, 3)]) == pytest.approx(2.0)


@pytest.mark.parametrize("n", [1, 3, 4, 11])
def test_iqm_like_scipy(n):
    values = np.random.default_rng(0).normal(size=n)
    assert iqm([values.tolist()]) == pytest.approx(stats.trim_mean(values, 0.25))


def test_interval_draws_within_tasks():
    """Each task's seeds agree, so that there is nothing to draw: strata that were mixed would vary."""
    assert interval([(0.1, 0.1), (0.5, 0.5), (0.9, 0.9), (0.3, 0.3)]) == pytest.approx((0.4, 0.4))


def test_interval_like_a_bootstrap_of_one_task():
    values = np.random.default_rng(0).normal(size=40)
    wanted = stats.bootstrap(
        (values,),
        lambda v, axis: stats.trim_mean(v, 0.25, axis=axis),
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert interval([values.tolist()]) == pytest.approx((wanted.low, wanted.high), abs=0.06)


def entry(toy, task, method, sizes, digest="aa", valid=0.9, **changes):
    """One artifact of dense quality per seed: its score is the number of halvings of 40,000 bytes, of six.

    The others keep nothing: they are what makes it a curve over the whole window.
    """
    runs = {seed: toy.result(0.9, 40_000 // 2**halvings, valid_quality=valid) for seed, halvings in enumerate(sizes)}
    rest = {
        size: dict.fromkeys(runs, toy.result(0.5, size, valid_quality=0.1)) for size in (624, *range(40_001, 40_004))
    }
    return toy({4: runs, **rest}, task=toy.task | {"name": task}, method=method, digest=digest, **changes)


@pytest.fixture
def two_tasks(toy):
    return boards(
        [
            entry(toy, "one", "a", (3, 3, 3)),
            entry(toy, "two", "a", (3, 3, 3)),
            entry(toy, "one", "b", (1, 2, 3)),
            entry(toy, "two", "b", (1, 1, 1)),
            entry(toy, "one", "c", (5, 5, 5)),
            entry(toy, "three", "dense", (0, 0, 0)),
        ]
    )


def test_across_tasks(two_tasks):
    """b: 1, 1, 1, 1, 2, 3 sixths without an end each: 5/4 sixths. c lacks a task: after those who lack none. On the
    third task dense is alone: nobody lacks it.
    """
    a, b, c = aggregate(two_tasks)
    assert (a.method, a.value, a.tasks, a.missing) == ("a", pytest.approx(3 / 6), 2, [])
    assert (b.method, b.value, b.tasks, b.missing) == ("b", pytest.approx(5 / 24), 2, [])
    assert (c.method, c.value, c.tasks, c.missing) == ("c", pytest.approx(5 / 6), 1, ["two"])
    assert b.low <= b.value <= b.high
    assert {x.axis for x in (a, b, c)} == {"bytes"}


def test_missing_is_shown_and_has_no_place(two_tasks):
    page = pages.markdown(two_tasks, [])
    assert "| 1 | a | 0.500 \\[0.500, 0.500\\] | 2 of 2 |  |\n| 2 | b | 0.208 " in page
    assert "| – | c | 0.833 \\[0.833, 0.833\\] | 1 of 2 | two |" in page


def test_open_entries_do_not_count(toy):
    found = boards([entry(toy, "one", "a", (1,)), entry(toy, "one", "a", (6,), digest="bb", division="open")])
    assert [(x.method, x.value, x.low) for x in aggregate(found)] == [("a", pytest.approx(1 / 6), None)]


def test_the_configuration_is_chosen_on_valid(toy):
    """The smaller one is worse on valid: 3/4 of 2 halvings is less than 2 of 2."""
    found = boards([entry(toy, "one", "a", (2,)), entry(toy, "one", "a", (2,), digest="bb", valid=0.8)])
    better_on_test = boards([entry(toy, "one", "a", (2,)), entry(toy, "one", "a", (3,), digest="bb", valid=0.6)])
    assert aggregate(found)[0].value == pytest.approx(2 / 6)
    assert aggregate(better_on_test)[0].value == pytest.approx(2 / 6)


def test_profile_by_hand(two_tasks):
    """b's runs of task one are 1/6, 2/6 and 3/6, those of two 1/6: above 0.3 is 2/3 of the one and 0 of the other."""
    profile = dict(profiles(two_tasks)["b"])
    assert profile[0.0] == 1
    assert profile[0.3] == pytest.approx(1 / 3)
    assert profile[0.35] == pytest.approx(1 / 6)
    assert profile[0.5] == profile[0.95] == 0
    assert list(profiles(two_tasks)) == ["a", "b", "c"]


def test_nothing():
    assert aggregate([]) == []
    assert profiles([]) == {}
