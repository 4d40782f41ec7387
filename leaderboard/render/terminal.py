"""The board as text for a terminal: fewer columns, aligned."""

import sys
from collections.abc import Sequence

from leaderboard.board.board import Board, Division
from leaderboard.record.schema import TaskInfo
from leaderboard.record.text import plain
from leaderboard.render.columns import NARROW, grid
from leaderboard.render.facts import division_facts, listed, remarks, stale

ASCII = str.maketrans({"−": "-", "–": "-", "×": "x", "●": "*", "†": "+", "±": "+-", "≥": ">=", "≤": "<=", "…": "..."})
"""For terminals and logs that take ASCII only."""


def text(boards: Sequence[Board]) -> str:
    """Returns the rows of the page with fewer columns, aligned."""
    return "\n\n".join(map(_text_board, boards)) or "no records"


def _text_board(board: Board) -> str:
    parts = [_text_division(board.task, division) for division in board.divisions]
    return "\n".join([*"\n\n".join(parts).splitlines(), *listed("Stale, not ranked:", stale(board), plain)])


def _text_division(task: TaskInfo, division: Division) -> str:
    facts = [f"{task.name}, {division.name} division", task.metric, *division_facts(task, division)]
    rows = grid(task, division, (*NARROW, "latency"))
    lines = [plain("; ".join(facts)), *aligned([[plain(cell) for cell in row] for row in rows])]
    return "\n".join(lines + listed("Failures and notes:", remarks(division), plain))


def aligned(rows: list[list[str]]) -> list[str]:
    """Returns one line a row, columns padded to one width."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def say(text: str) -> None:
    """Prints `text` on any terminal; nothing where stdout is closed."""
    if sys.stdout is not None:
        print(fitted(text, sys.stdout.encoding))


def fitted(text: str, encoding: str) -> str:
    """Returns `text` if `encoding` can hold it, else with the board's signs in ASCII and others escaped."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(ASCII).encode(encoding, "backslashreplace").decode(encoding)
    return text
