"""Which rows are compared, and what they hold."""

import msgspec
import pytest

from leaderboard.board.board import boards
from leaderboard.board.rows import rows_of
from leaderboard.show import tasks_text
from tests.leaderboard.shown import page_markdown, page_text

RUNS = {8: {0: (0.8, 5000), 1: (0.9, 5000)}}


def methods(division):
    return [row.record.method.name for row in division.rows]


def test_figures_by_hand(toy):
    """Qualities 0.8, 0.9, 1.0 from dense 0.9, 0.9, 0.8; 4, 5, 6 kB of 40."""
    one = toy(
        {4: {0: (0.8, 4000), 1: (0.9, 5000), 2: (1.0, 6000)}},
        dense={0: 0.9, 1: 0.9, 2: 0.8},
    )
    figures = rows_of(one)[0].figures
    assert figures.quality[:3] == (pytest.approx(0.9), pytest.approx(0.1), 3)
    assert figures.dense == pytest.approx(2.6 / 3)
    assert (figures.bytes, figures.ratio) == (5000, 8)
    assert [(t.batch, t.median_ms, pytest.approx(t.speedup)) for t in figures.latency] == [(1, 0.5, 1.8), (8, 2, 0.5)]


def test_pareto_marks_by_hand(toy):
    """a: 5 kB 0.9, 2 kB 0.6. b: 5 kB 0.8 (beaten), 3 kB 0.7. A failed seed bars c's 1 kB 1.0 from the front."""
    a = toy({8: {0: (0.9, 5000)}, 4: {0: (0.6, 2000)}}, method="a")
    b = toy({0.5: {0: (0.8, 5000)}, 0.9: {0: (0.7, 3000)}}, method="b")
    c = toy({1: {0: (1.0, 1000), 1: "diverged"}}, method="c")
    (division,) = boards([c, b, a])[0].divisions
    assert methods(division) == ["a", "a", "b", "b", "c"]
    assert division.optimal == [True, True, False, True, False]


def test_pareto_of_a_loss(toy):
    one = toy({8: {0: (2.0, 5000)}, 4: {0: (2.5, 2000)}, 2: {0: (2.5, 3000)}}, task=toy.loss)
    assert boards([one])[0].divisions[0].optimal == [True, True, False]


def test_divisions_are_apart(toy):
    """Open runs have other dense nets, and a better row there does not unseat one of the closed division."""
    closed = toy({8: {0: (0.8, 5000)}})
    open_ = toy({8: {0: (0.9, 1000)}}, digest="bb", division="open", nets="other")
    (board,) = boards([open_, closed])
    assert [(d.name, d.optimal) for d in board.divisions] == [("closed", [True]), ("open", [True])]
    assert board.stale == []
    page = page_markdown([open_, closed])
    assert page.index("### toy: closed division") < page.index("### toy: open division")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"task": {"version": 1}}, "task version 1, the newest is 2"),
        ({"task": {"fingerprint": "beef"}}, "data fingerprint beef, ranked records have f00d"),
        (
            {"task": {"metric": "F1"}},
            "metric, its direction, batch, test examples, margin or window is not that of the others",
        ),
        (
            {"nets": "d"},
            "dense checkpoint d0 (0.9, 40000 bytes) of seed 0, ranked records have c0 (0.9, 40000 bytes)",
        ),
        (
            {"dense": {0: 0.5, 1: 0.9}},
            "dense checkpoint c0 (0.5, 40000 bytes) of seed 0, ranked records have c0 (0.9, 40000 bytes)",
        ),
    ],
)
def test_what_differs_is_stale_and_not_ranked(toy, changes, reason):
    """It sorts first and its artifact is the smallest, yet it takes no part."""
    task = toy.task | {"version": 2}
    good = [toy(RUNS, task=task, method=name) for name in ("b", "c")]
    others = {name: value for name, value in changes.items() if name != "task"}
    old = toy({8: {0: (1.0, 10)}}, method="a", task=task | changes.get("task", {}), **others)
    (board,) = boards([*good, old])
    assert [(s.record.method.name, s.reason) for s in board.stale] == [("a", reason)]
    assert methods(board.divisions[0]) == ["b", "c"]
    assert board.task.version == 2
    for page in (page_markdown([*good, old]), page_text([*good, old])):
        assert f"- a-0a1b2c3d (closed): {reason}" in page


def test_one_record_cannot_turn_the_ranking_around(toy):
    """It sorts first, and claims that lower is better."""
    good = [toy({8: {0: (0.8, 5000)}, 4: {0: (0.6, 5000)}}, method=name) for name in ("b", "c")]
    (board,) = boards([toy(RUNS, method="a", task=toy.task | {"higher_is_better": False}), *good])
    reason = "metric, its direction, batch, test examples, margin or window is not that of the others"
    assert [(s.record.method.name, s.reason) for s in board.stale] == [("a", reason)]
    assert board.task.higher_is_better
    assert board.divisions[0].optimal == [True, False, True, False]


def test_the_newest_version_wins_against_the_majority(toy):
    old = [toy(RUNS, method=name) for name in ("a", "b", "c")]
    new = toy(RUNS, method="d", task=toy.task | {"version": 2})
    (board,) = boards([*old, new])
    assert methods(board.divisions[0]) == ["d"]
    assert len(board.stale) == 3


def test_the_newest_protocol_alone_is_ranked_on_every_task(toy):
    """By itself, a record of protocol 1 is ranked; beside one of protocol 2 it is set aside, on another task, too."""
    old, new = toy(RUNS, method="a", protocol=1), toy(RUNS, method="b")
    other = toy({8: {0: (2.0, 5000)}}, task=toy.loss, protocol=1)
    assert methods(boards([old])[0].divisions[0]) == ["a"]
    text, both = boards([old, new, other])
    assert methods(both.divisions[0]) == ["b"]
    reason = "protocol 1, ranked records have 2"
    assert [(s.record.method.name, s.reason) for s in both.stale + text.stale] == [("a", reason), ("rtn", reason)]
    assert text.divisions == []
    assert f"- rtn-0a1b2c3d (closed): {reason}" in page_markdown([old, new, other])
    assert "nothing is ranked" in tasks_text(boards([old, new, other]))


def test_other_seeds_are_no_difference(toy):
    """Seeds 0, 1 and seeds 1, 2 share the dense net of seed 1."""
    (board,) = boards([toy(RUNS, method="a"), toy({8: {1: (0.9, 5), 2: (0.9, 5)}}, method="b")])
    assert board.stale == []
    assert [net.seed for net in board.divisions[0].dense] == [0, 1, 2]


def test_the_same_net_trained_again_is_the_same_net(toy):
    """Another provenance and identity, the same checkpoint, quality and bytes: both records are ranked."""
    again = toy(RUNS, method="b", made=msgspec.structs.replace(toy.provenance, commit="1" * 40))
    (board,) = boards([toy(RUNS, method="a"), again])
    assert [row.label for row in board.divisions[0].rows] == ["a", "b"]
    assert board.stale == []
