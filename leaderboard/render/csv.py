"""The board as CSV, for spreadsheets and scripts: a line per row, raw numbers."""

import csv
import io

from leaderboard.board.board import Board
from leaderboard.board.rows import commits
from leaderboard.record.text import plain


def as_csv(boards: list[Board]) -> str:
    """A line per ranked row, raw numbers, units in the header; empty where every seed failed."""
    rows = [
        _identity(board, division, row, optimal) | _numbers(row.figures)
        for board in boards
        for division in board.divisions
        for row, optimal in zip(division.rows, division.optimal, strict=True)
    ]
    file, header = io.StringIO(), list(max(rows, key=len, default={}))
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_csv_cell(row.get(name)) for name in header] for row in rows)
    return file.getvalue()


def _identity(board, division, row, optimal) -> dict:
    record = row.record
    return {
        "task": record.task.name,
        "task_version": record.task.version,
        "metric": record.task.metric,
        "higher_is_better": board.task.higher_is_better,
        "division": division.name,
        "family": record.method.family,
        "method": record.method.name,
        "digest": record.method.digest,
        "knob": ", ".join(record.method.knobs),
        "strength": row.strength,
        "device": "; ".join(row.devices),
        "commits": "; ".join(commits(record)),
        "seeds_asked": row.asked,
        "seeds_finished": row.finished,
        "pareto_optimal": optimal,
    }


def _numbers(figures) -> dict:
    if figures is None:
        return {}
    summaries = {name: getattr(figures, name)._asdict() for name in ("quality", "dense", "difference")}
    names = {"quality": "quality", "dense": "dense_quality", "difference": "quality_difference"}
    one, batch = figures.latency.one, figures.latency.batch
    return {
        **{f"{names[s]}_{key}": v for s, fields in summaries.items() for key, v in fields.items() if key != "n"},
        "artifact_bytes": figures.bytes,
        "ratio": figures.ratio,
        "macs": figures.macs,
        "effective_macs": figures.effective_macs,
        "bops": figures.bops,
        "execution": figures.execution,
        "latency_batch_1_ms": one.median_ms,
        "speedup_batch_1": one.speedup,
        "task_batch": batch.batch,
        "latency_task_batch_ms": batch.median_ms,
        "speedup_task_batch": batch.speedup,
        "optimization_s": figures.seconds,
        "steps": figures.steps,
        "teacher_forwards_examples": figures.teacher_forwards,
    }


def _csv_cell(value) -> str:
    if isinstance(value, str):
        text = plain(value)
        return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text  # else a spreadsheet runs it
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).lower()
    return f"{value:.12g}"
