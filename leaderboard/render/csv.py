"""The board as CSV, for spreadsheets and scripts: a line per row, raw numbers."""

import csv
import io

from leaderboard.board.board import Board
from leaderboard.board.rows import Figures, Row, commits
from leaderboard.record.text import plain
from leaderboard.render.cells import Entry
from leaderboard.render.columns import COLUMNS, Value, entries


def as_csv(boards: list[Board]) -> str:
    """Returns a line per ranked row: raw numbers, units in the header; empty where every seed failed."""
    rows = [
        _identity(entry, division.name) | _comparisons(entry.row) | _numbers(entry.row.figures)
        for board in boards
        for division in board.divisions
        for entry in entries(board.task, division)
    ]
    file, header = io.StringIO(), list(max(rows, key=len, default={}))
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_csv_cell(row.get(name)) for name in header] for row in rows)
    return file.getvalue()


def _identity(entry: Entry, division: str) -> dict[str, Value]:
    row, record = entry.row, entry.row.record
    return {
        "task": record.task.name,
        "task_version": record.task.version,
        "metric": record.task.metric,
        "higher_is_better": entry.task.higher_is_better,
        "division": division,
        "family": record.method.family,
        "method": record.method.name,
        "training": record.method.budget,
        "digest": record.method.digest,
        "knob": ", ".join(record.method.knobs),
        "strength": row.strength,
        "device": "; ".join(row.devices),
        "commits": "; ".join(commits(record)),
        "seeds_asked": row.asked,
        "seeds_finished": row.finished,
        "pareto_optimal": entry.optimal,
    }


def _comparisons(row: Row) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for kind in ("dense", "reference", "control"):
        one = row.comparisons.get(kind)
        numbers = one.found._asdict() if one else {}
        found |= {f"{kind}_{name}": numbers.get(name) for name in ("difference", "low", "high", "p", "about")}
        found |= {kind: one and one.against, f"{kind}_p_corrected": one and one.corrected}
    return found


def _numbers(figures: Figures | None) -> dict[str, Value]:
    if figures is None:
        return {}
    return {name: value for column in COLUMNS for name, value in column.raw(figures).items()}


def _csv_cell(value) -> str:
    if isinstance(value, str):
        text = plain(value)
        return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text  # else a spreadsheet runs it
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).lower()
    return f"{value:.12g}"
