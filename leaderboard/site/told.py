"""What the page is told once, so that no script knows it: columns, axes and marks."""

from collections.abc import Sequence
from typing import Any

from leaderboard.board.board import Board
from leaderboard.board.display import AMOUNTS, UNITS
from leaderboard.record.schema import TaskInfo
from leaderboard.render import marks
from leaderboard.render.axes import AXES
from leaderboard.render.cells import Entry, nothing
from leaderboard.render.columns import COLUMNS, Column, filled
from leaderboard.site.values import number, places, text

TABLE = (
    *("method", "strength", "rank", "quality", "n", "difference", "reference", "control", "bytes", "ratio"),
    *("weight_bits", "payload", "memory", "macs", "bops", "latency_1", "latency", "execution", "training", "cost"),
)
"""The columns of a task's table, in their order; the mark of an optimal row stands beside its method."""
REASON = Column("reason", "stale", "text", lambda entry: None)
BY_ID = {column.id: column for column in (*COLUMNS, REASON)}


def columns(task: TaskInfo) -> list[dict[str, Any]]:
    """Returns what the table of a task shows."""
    return [_column(BY_ID[id], task) for id in TABLE]


def stale_columns(task: TaskInfo) -> list[dict[str, Any]]:
    """Returns what the table of stale rows shows: the metric is not always that of the task now."""
    told = {id: _column(BY_ID[id], task) for id in ("method", "strength", "reason", "quality", "bytes", "n")}
    told["quality"] |= {"title": BY_ID["quality"].title, "hint": "Not comparable with the rows above"}
    return list(told.values())


def _column(column: Column, task: TaskInfo) -> dict[str, Any]:
    better = ("high" if task.higher_is_better else "low") if column.better == "task" else column.better
    title, hint = (text(filled(one, task)) for one in (column.head or column.title, column.hint))
    return {"id": column.id, "title": title, "hint": hint, "unit": column.unit, "better": better}


def cell(column: Column, entry: Entry) -> dict[str, Any]:
    """Returns the value of a cell; a text in place of it where its unit does not say how it is shown; its note."""
    value = column.value(entry)
    told: dict[str, Any] = {column.id: _value(value, column.unit)}
    if column.text:
        told[f"text_{column.id}"] = None if column.unit in UNITS and value is not None else text(column.text(entry))
    if column.note is not nothing:
        told[f"note_{column.id}"] = column.note(entry) or None
    return told


def _value(value, unit):
    if isinstance(value, str):
        return text(value)
    return places(value) if unit in ("quality", "difference") else number(value, 9)


def axes(task: TaskInfo) -> list[dict[str, Any]]:
    """Returns the axes of cost, with what may stand behind a number that someone types."""
    return [
        {
            "id": id,
            "label": filled(BY_ID[id].title, task),
            "title": filled(axis.title, task),
            "unit": BY_ID[id].unit,
            "format": axis.format,
            "least": axis.least,
            "amounts": AMOUNTS[BY_ID[id].unit],
        }
        for id, axis in AXES.items()
    ]


def families(boards: Sequence[Board]) -> list[dict[str, Any]]:
    """Returns families with their colours and the marks of their methods."""
    found: dict[str, dict[str, Any]] = {}
    for mark in marks.marks(marks.methods_of(boards)):
        family = {"name": text(mark.family), "colour": marks.variable(mark.colour), "methods": []}
        own = {"name": mark.method, "shape": mark.shape, "path": marks.SHAPES[mark.shape], "fill": mark.fill}
        found.setdefault(mark.family, family)["methods"].append(own)
    return list(found.values())
