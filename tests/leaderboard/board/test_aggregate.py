"""Mean scores over tasks and the ranks of methods, on a board; the arithmetic is in stats/test_over_tasks.py."""

import pytest

from leaderboard.board.aggregate import aggregate, critical
from leaderboard.board.board import boards
from leaderboard.render import pages


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
    """b: 2 and 1 sixths. c lacks a task: after those who lack none, and without ranks. On the third task dense is
    alone: nobody lacks it.
    """
    a, b, c = aggregate(two_tasks)
    assert (a.method, a.value, a.tasks, a.missing) == ("a", pytest.approx(3 / 6), 2, [])
    assert (b.method, b.value, b.tasks, b.missing) == ("b", pytest.approx(3 / 12), 2, [])
    assert (c.method, c.value, c.tasks, c.missing) == ("c", pytest.approx(5 / 6), 1, ["two"])
    assert [x.rank for x in (a, b, c)] == [(1, 2), (1, 2), None]
    assert (b.low, b.high) == (pytest.approx(1 / 6), pytest.approx(2.34 / 6, abs=0.02))
    assert {x.axis for x in (a, b, c)} == {"bytes"}
    assert critical(two_tasks, "bytes") is None


def test_missing_is_shown_and_has_no_rank(two_tasks):
    page = pages.markdown(two_tasks, [])
    assert "| 1–2 | a | 0.500 \\[0.500, 0.500\\] | – | 2 of 2 |  |\n| 1–2 | b | 0.250 " in page
    assert "| – | c | 0.833 | – | 1 of 2 | two |" in page


def test_mean_ranks_are_shown(toy):
    """a is first on both tasks, b second on one and third on the other."""
    scores = {"a": (4, 4), "b": (3, 2), "c": (2, 3)}
    found = boards([entry(toy, t, m, (row[k],)) for m, row in scores.items() for k, t in enumerate(("one", "two"))])
    assert critical(found, "bytes").ranks == {"a": 1.0, "b": 2.5, "c": 2.5}
    assert critical(found, "latency") is None
    assert "| 1–3 | b | 0.417 \\[0.333, 0.500\\] | 2.50 | 2 of 2 |  |" in pages.markdown(found, [])


def test_open_entries_do_not_count(toy):
    found = boards([entry(toy, "one", "a", (1,)), entry(toy, "one", "a", (6,), digest="bb", division="open")])
    assert [(x.method, x.value, x.low) for x in aggregate(found)] == [("a", pytest.approx(1 / 6), None)]


def test_the_configuration_is_chosen_on_valid(toy):
    """The smaller one is worse on valid: 3/4 of 2 halvings is less than 2 of 2."""
    found = boards([entry(toy, "one", "a", (2,)), entry(toy, "one", "a", (2,), digest="bb", valid=0.8)])
    better_on_test = boards([entry(toy, "one", "a", (2,)), entry(toy, "one", "a", (3,), digest="bb", valid=0.6)])
    assert aggregate(found)[0].value == pytest.approx(2 / 6)
    assert aggregate(better_on_test)[0].value == pytest.approx(2 / 6)


def test_nothing():
    assert aggregate([]) == []
    assert critical([], "bytes") is None
