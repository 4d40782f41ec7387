"""Ranks and ties of rows whose outcomes are made for it."""

import numpy as np

from leaderboard.board.board import boards
from leaderboard.stats.paired import sample
from leaderboard.stats.ranks import places


def entries(*rights, n=1000):
    """Entries that are right on the first so many of n examples: two differ by a one-sided count."""
    samples = [sample([(0, right / n, "1" * right + "0" * (n - right))]) for right in rights]
    return places(samples, [right / n for right in rights])


def test_clear_differences_are_ranks_of_their_own():
    """100 examples one way: p = 2 / 2¹⁰⁰."""
    assert entries(700, 900, 800) == [((3, 3), 3), ((1, 1), 1), ((2, 2), 2)]


def test_what_cannot_be_told_apart_shares_ranks_and_a_tie():
    """3 rows are 3 pairs, the bound is 0.05 / 3: 7 examples one way have p = 2 / 2⁷ = 0.0156, 6 have 0.031."""
    assert entries(906, 900, 500) == [((1, 2), 1), ((1, 2), 1), ((3, 3), 2)]
    assert entries(907, 900, 500) == [((1, 1), 1), ((2, 2), 2), ((3, 3), 3)]


def test_intervals_overlap_where_neighbours_do():
    """Steps of 4, bound 0.05 / 6, so 8 are told apart: each row shares with its neighbours; a tie has one leader."""
    assert entries(912, 908, 904, 900) == [((1, 2), 1), ((1, 3), 1), ((2, 4), 2), ((3, 4), 2)]


def test_rows_without_figures_have_no_place():
    alone = sample([(0, 0.5, "10")])
    assert places([None, alone], [None, 0.5]) == [None, ((1, 1), 1)]
    assert places([], []) == []


def test_like_all_pairs():
    """On random rows, the intervals are those of testing every pair, as here all pairs are in order."""
    rng = np.random.default_rng(0)
    rights = sorted(rng.integers(400, 900, size=30).tolist(), reverse=True)
    bound = 0.05 / (30 * 29 / 2)
    apart = [[2 / 2.0 ** abs(a - b) < bound for b in rights] for a in rights]
    for place, (found, row) in enumerate(zip(entries(*rights), apart, strict=True)):
        shared = [other for other, is_apart in enumerate(row) if not is_apart]
        assert found.rank == (shared[0] + 1, shared[-1] + 1)
        assert found.rank[0] <= place + 1 <= found.rank[1]


def test_on_a_board_lower_losses_are_first(toy):
    worse = toy({8: {0: toy.result(2.5, 10, "loss", outcomes=[2.3, 2.7, 2.5, 2.5])}}, task=toy.loss, method="a")
    better = toy({8: {0: toy.result(2.0, 10, "loss", outcomes=[1.9, 2.1, 2.0, 2.0])}}, task=toy.loss, method="b")
    failed = toy({8: {0: "no room"}}, task=toy.loss, method="c")
    rows = boards([worse, better, failed])[0].divisions[0].rows
    assert [(row.rank, row.tie) for row in rows] == [((2, 2), 2), ((1, 1), 1), (None, None)]
