"""The table of columns."""

import pytest

from leaderboard.board import display
from leaderboard.board.board import boards
from leaderboard.record.schema import Trial, Tuning
from leaderboard.render.columns import COLUMNS, NARROW, entries, grid


def test_every_column_is_complete():
    """A unit that no rule shows has a text of its own; a number says which end of it is better."""
    ids = [column.id for column in COLUMNS]
    assert len(set(ids)) == len(ids)
    assert set(NARROW) <= set(ids)
    for column in COLUMNS:
        assert column.unit in display.UNITS or column.unit == "text" or column.text
        assert column.better in (("",) if column.unit == "text" else ("low", "high", "task"))


def test_titles_say_the_tasks_batch_and_some_columns_can_be_chosen(toy):
    (board,) = boards([toy({4: {0: (0.9, 4000)}})])
    assert grid(board.task, board.divisions[0], ("latency", "latency_1", "method")) == [
        ["method", "latency, batch 1", "latency, batch 8"],
        ["rtn", "0.5 ms ×1.80 [1.62, 1.98]", "2 ms ×0.50 [0.45, 0.55]"],
    ]


@pytest.mark.parametrize(
    ("id", "main", "note"),
    [
        ("rank", "1–2 at 5 kB, 1–2 at 40 kB †", ""),
        ("strength", "bits 4", ""),
        ("quality", "0.9000", "[0.3644, 0.9930]"),
        ("difference", "+0.0000", ""),
        ("reference", "+0.0000", ""),
        ("control", "+0.4000", "does not beat it, p 0.1 †, random, bits 4 at 4.01 kB"),
        ("bytes", "4 kB", ""),
        ("weight_bits", "4", ""),
        ("payload", "3.8 kB", ""),
        ("memory", "4.1 kB", ""),
        ("macs", "617 k", "of 1.23 M"),
        ("latency", "2 ms", "×0.50 [0.45, 0.55]"),
        ("training", "none", ""),
        ("cost", "15 s", "900 steps, 600 of them tuning"),
        ("n", "1 †", ""),
    ],
)
def test_cells_are_a_text_and_a_note(toy, id, main, note):
    """Right on 4 of 10 examples where the control is wrong: 0.4 over √((4 - 1.6 + 2) / 90) is t = 1.81, p 0.10. The
    quality is 0.9: log-odds 2.197 ± 2.262 · √((0.9 + 2 · 0.09) / 90) / 0.09.
    """
    trial = Trial(settings={"rate": 1.0}, loss=0.5)
    spent = {"seconds": 3.0, "steps": 600, "labelled_examples": 9}
    tuning = Tuning(seed=0, strength=[4.0], settings={"rate": 1.0}, trials=[trial], **spent)
    records = [
        toy({4: {0: toy.result(0.9, 4000, effective_macs=617_000.0)}}, control="random", tuning=tuning),
        toy({4: {0: (0.5, 4010)}}, method="random"),
    ]
    (board,) = boards(records)
    (column,) = [column for column in COLUMNS if column.id == id]
    entry = next(e for e in entries(board.task, board.divisions[0]) if e.row.label == "rtn")
    assert (column.main(entry), column.note(entry)) == (main, note)
