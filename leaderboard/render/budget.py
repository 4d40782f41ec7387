"""What is best under a budget: rows that cost at most so much, by quality."""

import re

from leaderboard.board import display
from leaderboard.board.board import Division
from leaderboard.board.rows import Figures, Row
from leaderboard.record.schema import TaskInfo
from leaderboard.render.columns import grid

COSTS = {
    "bytes": lambda figures: figures.bytes,
    "latency": lambda figures: figures.latency.one.median_ms / 1000,
    "macs": lambda figures: figures.effective_macs,
}
"""Of figures: bytes of the artifact, seconds at batch 1, multiplications of one example by a nonzero weight."""
UNITS = {
    "bytes": {"B": 1.0, "kB": 1e3, "MB": 1e6},
    "latency": {"us": 1e-6, "ms": 1e-3, "s": 1.0},
    "macs": {"k": 1e3, "M": 1e6, "G": 1e9},
}
COLUMNS = (
    "",
    "rank",
    "method",
    "strength",
    "quality",
    "against dense",
    "bytes",
    "MACs",
    "latency, batch 1",
    "run as",
    "n",
)


def amount(text: str, by: str) -> float:
    """ "20kB" as a number of the unit of COSTS[by]. Raises ValueError."""
    match = re.fullmatch(r"([0-9]+\.?[0-9]*|\.[0-9]+)\s*([A-Za-z]+)", text.strip())
    if not match or match[2] not in UNITS[by]:
        *units, last = UNITS[by]
        raise ValueError(f"{text!r} is not an amount of {by}; it must be a number and {', '.join(units)} or {last}")
    return float(match[1]) * UNITS[by][match[2]]


def shown(figures: Figures, by: str) -> str:
    """The cost as the table shows it."""
    if by == "latency":
        return f"{display.number(1000 * COSTS[by](figures))} ms"
    return display.si(COSTS[by](figures), "B" if by == "bytes" else "")


def ranked(task: TaskInfo, division: Division, by: str, under: float) -> list[int]:
    """Places in `division.rows` of those that cost at most `under`: best quality first, among equals the cheapest.

    Rows with failed seeds come last: the seeds that survive are no fair sample.
    """
    sign = -1 if task.higher_is_better else 1

    def place(i):
        row = division.rows[i]
        return row.finished < row.asked, sign * row.figures.quality.mean, COSTS[by](row.figures)

    return sorted((i for i, row in enumerate(division.rows) if affordable(row, by, under)), key=place)


def affordable(row: Row, by: str, under: float) -> bool:
    return row.figures is not None and COSTS[by](row.figures) <= under


def table(task: TaskInfo, division: Division, by: str, under: float) -> list[list[str]]:
    """Header and rows, unescaped: those of the board, fewer columns."""
    header, *rows = grid(task, division)
    kept = [i for i, name in enumerate(header) if name in COLUMNS]
    return [[row[i] for i in kept] for row in (header, *(rows[i] for i in ranked(task, division, by, under)))]
