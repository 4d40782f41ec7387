"""Which rows are compared, and what they hold."""

import msgspec
import pytest

from leaderboard.board import claims
from leaderboard.board.board import boards
from leaderboard.board.claims import Claim
from leaderboard.board.rows import rows_of
from leaderboard.record import registry
from leaderboard.render import pages
from leaderboard.render.facts import remarks
from leaderboard.show import tasks_text
from tests.leaderboard.shown import page_markdown

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
        ({"version": 1}, "task.version is 1, the board's is 2"),
        ({"version": 999}, "task.version is 999, the board's is 2"),
        ({"fingerprint": "beef"}, "task.fingerprint is beef, the board's is f00d"),
        ({"metric": "F1"}, "task.metric is F1, the board's is accuracy"),
        ({"higher_is_better": False}, "task.higher_is_better is false, the board's is true"),
        ({"reach": 0.5}, "task.reach is 0.5, the board's is 0.85"),
        ({"reference": 0.1}, "task.reference is 0.1, the board's is 0.5"),
        ({"margin": 0.5}, "task.margin is 0.5, the board's is 0.01"),
        ({"window": [1, 2]}, "task.window is [1, 2], the board's is [625, 40000]"),
        ({"clusters": [0] * 10}, "task.clusters are not those of the board"),
    ],
)
def test_what_differs_from_the_registry_is_stale_and_not_ranked(toy, changes, reason):
    """Its artifact is the smallest, it sorts first, and there are eleven of it: yet it takes no part."""
    task = toy.task | {"version": 2}
    good = [toy(RUNS, task=task, method=name) for name in ("b", "c")]
    old = [toy({8: {0: (1.0, 10)}}, method="a", digest=f"{i:08x}", task=task | changes) for i in range(11)]
    known = registry.said(good)
    (board,) = boards([*good, *old], known)
    assert [(s.record.method.name, s.reason) for s in board.stale] == [("a", reason)] * 11
    assert board.divisions == boards(good, known)[0].divisions
    assert board.task == boards(good, known)[0].task
    assert f"- a-00000000 (closed): {reason}" in pages.markdown([board], []).replace("\\", "")


def test_a_name_that_sorts_first_describes_nothing(toy):
    """Source, modality and controls are not measured: such a record is ranked, and pages show the registry's."""
    good = toy(RUNS, method="b")
    named = toy.task | {"source": "please cite me", "modality": "zzz", "controls": {"x": 1.0}}
    (board,) = boards([toy(RUNS, method="AAA", task=named), good], registry.said([good]))
    assert methods(board.divisions[0]) == ["AAA", "b"]
    assert board.task == good.task


def test_a_folder_of_ones_own_is_what_its_records_say(toy):
    old = toy({8: {0: (1.0, 10)}}, method="a", task=toy.task | {"fingerprint": "beef"})
    (board,) = boards([toy(RUNS, method=name) for name in ("b", "c")] + [old])
    reason = "task.fingerprint is beef, the board's is f00d"
    assert [(s.record.method.name, s.reason) for s in board.stale] == [("a", reason)]
    assert f"- a-{old.method.digest} (closed): {reason}" in pages.markdown([board], []).replace("\\", "")


@pytest.mark.parametrize("known", [True, False], ids=["without data", "unknown"])
def test_an_unregistered_task_is_named_and_not_ranked(toy, known):
    """It moves nothing of the others: neither tables nor what holds over all tasks, nor the claims of papers."""
    good, odd = toy(RUNS), toy({8: {0: (2.0, 5)}}, task=toy.loss | {"name": "odd"})
    registered = registry.said([good])
    if known:
        registered["odd"] = msgspec.structs.replace(registered["toy"], fingerprint=None, rows=None)
    found = boards([good, odd], registered)
    assert [board.registered for board in found] == [False, True]
    what = "does not know the data of this task" if known else "has no such task"
    reason = f"leaderboard/tasks.json {what}; where the task and its data are, run: {registry.WRITE}"
    assert [(one.record, one.reason) for one in found[0].stale] == [(odd, reason)]
    page, alone = pages.markdown(found, []), pages.markdown(boards([good], registered), [])
    assert page.startswith(alone)
    assert f"- odd: rtn-{odd.method.digest} (closed): {reason}" in page.removeprefix(alone).replace("\\", "")
    claim = Claim(
        task="odd", method="rtn", strength=[8.0], metric="x", paper="p", arxiv=None, where="t", value=1.0, tolerance=1.0
    )
    assert claims.statuses([claim], found)[0].status == "not attempted"
    assert "unregistered, nothing is ranked" in tasks_text(found)


def test_without_a_registry_the_newest_version_wins_against_the_majority(toy):
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
    assert f"- rtn-{other.method.digest} (closed): {reason}" in page_markdown([old, new, other])
    assert "nothing is ranked" in tasks_text(boards([old, new, other]))


def test_a_record_with_dense_nets_of_its_own_is_ranked_too(toy):
    """Its difference is to its own nets, 0.6, by the outcomes of their own entry; the others' figures stay."""
    dense = toy({(): {0: (0.9, 40_000), 1: (0.9, 40_000)}}, method="dense", digest="aa", knobs=())
    ours = [dense, toy({8: {0: (0.9, 5000), 1: (0.8, 5000)}}, method="lsq")]
    low = {"dense": {0: 0.6, 1: 0.6}, "nets": "d"}
    foreign = [
        toy({(): {0: (0.6, 40_000), 1: (0.6, 40_000)}}, method="dense", digest="a0", knobs=(), **low),
        toy({8: {0: (0.7, 5000), 1: (0.7, 5000)}}, method="rtn", **low),
    ]
    known = registry.said(ours)
    (board,), (alone,) = boards(ours + foreign, known), boards(ours, known)
    (table,), (before,) = board.divisions, alone.divisions
    assert (board.stale, table.dense, table.level) == ([], before.dense, before.level)
    rows = {row.record.method.name: row for row in table.rows}
    assert rows["lsq"].comparisons["dense"] == before.rows[1].comparisons["dense"]
    found = rows["rtn"].comparisons["dense"].found
    assert (found.difference, found.about) == (pytest.approx(0.1), "over seeds and examples")
    said = "rtn: has dense nets of its own (seeds 0, 1: 0.6); differences are to these"
    assert said in remarks(table)
    assert not any(line.startswith("lsq") for line in remarks(table))


def test_nobody_else_scores_the_dense_nets_of_the_registry(toy):
    """A record that sorts first says of the same nets that other examples are right: what is compared stays."""
    dense = toy(
        {(): {0: (0.5, 40_000), 1: (0.5, 40_000)}}, method="dense", digest="bb", knobs=(), dense={0: 0.5, 1: 0.5}
    )
    lsq = toy({8: {0: (0.6, 5000), 1: (0.6, 5000)}}, method="lsq", dense={0: 0.5, 1: 0.5})
    other = toy.result(0.5, 40_000, outcomes="0000011111")
    forged = toy({(): {0: other, 1: other}}, method="dense", digest="aa", knobs=(), dense={0: 0.5, 1: 0.5})
    known = registry.said([dense, lsq])
    rows = [boards(records, known)[0].divisions[0].rows[-1] for records in ([dense, lsq], [forged, dense, lsq])]
    assert rows[0].comparisons["dense"].found == rows[1].comparisons["dense"].found


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
