"""What methods offer under a budget, and their ranks there."""

import pytest

from leaderboard.board.board import boards
from leaderboard.board.budgets import sizes
from leaderboard.record.schema import TaskInfo
from leaderboard.render import pages

MANY = {"rows": {"test": 400}}


def right(toy, count, size, valid=0.5):
    return toy.result(count / 400, size, outcomes="1" * count + "0" * (400 - count), valid_quality=valid)


def offers(*records):
    """{bytes: [(method, strength, ranks)]} under each budget, the best first."""
    (division,) = boards(records)[0].divisions
    rows = division.rows
    return {
        budget.bytes: [(rows[e.place].label, rows[e.place].strength, e.rank) for e in budget.entrants]
        for budget in division.budgets
    }


def test_budgets_are_the_ends_of_the_window_and_their_middle(toy):
    assert sizes(TaskInfo(**toy.task)) == [625, 5000, 40_000]
    assert sizes(TaskInfo(**toy.task | {"window": [500, 500]})) == [500]
    assert sizes(TaskInfo(**toy.task | {"window": None})) == []


def test_a_method_offers_what_is_best_on_valid_and_fits(toy):
    """Under 5 kB rtn has 600 B and 4 kB: the smaller is better on valid, the larger on test."""
    task = toy.task | MANY
    rtn = {
        2: {0: right(toy, 200, 600, valid=0.6)},
        4: {0: right(toy, 390, 4000, valid=0.5)},
        8: {0: right(toy, 395, 9000, valid=0.9)},
    }
    lsq = toy({4: {0: right(toy, 300, 5000)}}, method="lsq", task=task)
    assert offers(toy(rtn, task=task), lsq) == {
        625: [("rtn", "2", (1, 1))],
        5000: [("lsq", "4", (1, 1)), ("rtn", "2", (2, 2))],
        40_000: [("rtn", "8", (1, 1)), ("lsq", "4", (2, 2))],
    }


def test_of_several_configurations_one_is_offered(toy):
    weak = toy({4: {0: right(toy, 380, 500, valid=0.4)}}, digest="aa", task=toy.task | MANY)
    good = toy({4: {0: right(toy, 370, 500, valid=0.6)}}, digest="bb", task=toy.task | MANY)
    assert offers(weak, good)[625] == [("rtn (bb)", "4", (1, 1))]


def test_rows_of_which_a_seed_failed_are_not_offered(toy):
    assert offers(toy({4: {0: (1.0, 500), 1: "diverged"}}), toy({4: {0: "no room"}}, method="lsq")) == {
        625: [],
        5000: [],
        40_000: [],
    }


def test_what_is_told_apart_has_a_rank_of_its_own(toy):
    """One example, 40 and 41 of 400 apart: 380 and 379 share, the third does not."""
    records = [
        toy({4: {0: right(toy, count, 500)}}, method=name, task=toy.task | MANY)
        for name, count in (("a", 379), ("b", 339), ("c", 380))
    ]
    assert offers(*records)[625] == [("c", "4", (1, 2)), ("a", "4", (1, 2)), ("b", "4", (3, 3))]


def test_lower_losses_are_first(toy):
    """All 4 examples are better by 0.4 to 0.6."""
    worse = toy({8: {0: toy.result(2.5, 10, "loss", outcomes=[2.3, 2.7, 2.5, 2.5])}}, task=toy.loss, method="a")
    better = toy({8: {0: toy.result(1.0, 10, "loss", outcomes=[0.9, 1.1, 1.0, 1.0])}}, task=toy.loss, method="b")
    failed = toy({8: {0: "no room"}}, task=toy.loss, method="c")
    assert [name for name, *_ in offers(worse, better, failed)[625]] == ["b", "a"]
    rows = boards([worse, better, failed])[0].divisions[0].rows
    assert [len(row.places) for row in rows] == [3, 3, 0]


def test_ranks_of_unequal_seeds_are_of_common_ones(toy):
    """b's mean is higher for a lucky seed 1; on seed 0, which both have, a is better: so ranks do not put b first."""
    task = toy.task | MANY
    a = toy({4: {0: right(toy, 300, 500)}}, method="a", task=task, dense={0: 0.9, 1: 0.9})
    b = toy({4: {0: right(toy, 260, 500), 1: right(toy, 390, 500)}}, method="b", task=task)
    assert offers(a, b)[625] == [("b", "4", (2, 2)), ("a", "4", (1, 1))]


def test_a_single_seed_is_marked(toy):
    page = pages.markdown(boards([toy({4: {0: (0.9, 500), 1: (0.9, 500)}}, method="a"), toy({4: {0: (0.8, 500)}})]), [])
    assert "| method | at most 625 B | at most 5 kB | at most 40 kB |" in page
    assert "| a | 1–2: 0.9000, bits 4 | 1–2: 0.9000, bits 4 | 1–2: 0.9000, bits 4 |" in page
    assert "| rtn | 1–2 †: 0.8000, bits 4 |" in page
    assert "| 1–2 at 625 B, 1–2 at 5 kB, 1–2 at 40 kB † | rtn |" in page


@pytest.mark.parametrize("copies", [1, 6])
def test_many_strengths_of_one_method_are_one_entrant(toy, copies):
    """A method gains no ranks and costs the others none by entering the same thing often."""
    often = {bits: {0: right(toy, 380, 500)} for bits in range(copies)}
    other = toy({4: {0: right(toy, 350, 500)}}, method="lsq", task=toy.task | MANY)
    ranks = [rank for *_, rank in offers(toy(often, task=toy.task | MANY), other)[625]]
    assert ranks == [(1, 1), (2, 2)]
