"""What is best under a budget: rows that cost at most so much, by quality."""

import re

from leaderboard.board import display
from leaderboard.board.board import Division
from leaderboard.board.rows import Figures, Row
from leaderboard.record.schema import TaskInfo
from leaderboard.render.columns import COST, grid

COSTS = {"bytes": COST["bytes"], "latency": COST["latency_1"], "macs": COST["macs"]}
"""Of figures: bytes of the artifact, ms at batch 1, multiplications of one example by a nonzero weight."""
UNIT = {"bytes": "B", "latency": "ms", "macs": "count"}
SHOWN = (
    *("optimal", "rank", "method", "strength", "quality", "difference", "reference"),
    *("bytes", "weight_bits", "macs", "latency_1", "execution", "training", "cost", "n"),
)
"""The columns of a table."""


def amount(text: str, by: str) -> float:
    """Returns "20kB" as a number of the unit of COSTS[by]. Raises ValueError."""
    match = re.fullmatch(r"([0-9]+\.?[0-9]*|\.[0-9]+)\s*([A-Za-z]+)", text.strip())
    factors = display.AMOUNTS[UNIT[by]]
    if not match or match[2] not in factors:
        *units, last = factors
        raise ValueError(f"{text!r} is not an amount of {by}; it must be a number and {', '.join(units)} or {last}")
    return float(match[1]) * factors[match[2]]


def shown(figures: Figures, by: str) -> str:
    """Returns the cost as the table shows it."""
    return display.shown(COSTS[by](figures), UNIT[by])


def ranked(task: TaskInfo, division: Division, by: str, under: float) -> list[int]:
    """Returns places in `division.rows` of those that are affordable: best quality first, among equals the cheapest.

    Rows with failed seeds come last: the seeds that survive are no fair sample.

    Args:
        task: of the division.
        division: its rows.
        by: key of COSTS.
        under: the most that a row may cost.
    """
    sign = -1 if task.higher_is_better else 1

    def place(i):
        row = division.rows[i]
        return row.finished < row.asked, sign * row.figures.quality.mean, COSTS[by](row.figures)

    return sorted((i for i, row in enumerate(division.rows) if affordable(row, by, under)), key=place)


def affordable(row: Row, by: str, under: float) -> bool:
    """Returns whether a row costs at most so much.

    Args:
        row: one without figures is not affordable.
        by: key of COSTS.
        under: the most that it may cost.
    """
    return row.figures is not None and COSTS[by](row.figures) <= under


def table(task: TaskInfo, division: Division, by: str, under: float) -> list[list[str]]:
    """Returns header and rows of what is affordable, unescaped: those of the board, fewer columns.

    Args:
        task: of the division.
        division: its rows.
        by: key of COSTS.
        under: the most that a row may cost.
    """
    header, *rows = grid(task, division, SHOWN)
    return [header, *(rows[i] for i in ranked(task, division, by, under))]
