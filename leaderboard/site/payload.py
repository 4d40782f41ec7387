"""What of the board goes to the page. The page reads `overview` at once and the other parts when they are asked for.

A record's key is "<method>-<digest>", as in its file's name; it is unique in its task.
"""

from typing import Any

from leaderboard.board import aggregate, claims, display
from leaderboard.board.board import Board, Division, Stale
from leaderboard.board.rows import Row, devices, full_label, rows_of
from leaderboard.board.scores import AXES
from leaderboard.record.layout import strength_text
from leaderboard.record.schema import Record, TaskInfo
from leaderboard.render import cells, facts
from leaderboard.render.axes import in_sight, near_dense, quality_title
from leaderboard.render.cells import Entry
from leaderboard.render.columns import COLUMNS, entries
from leaderboard.site import told
from leaderboard.site.values import number, places, text
from leaderboard.stats.summary import Summary, mean


def overview(boards: list[Board]) -> dict[str, Any]:
    """Returns tasks with their records and scores, marks, the ranking across tasks, and the claims of papers."""
    return {
        "tasks": [_task(board) for board in boards if board.registered],
        "unregistered": [text(line) for line in facts.unregistered(boards)],
        "marks": told.families(boards),
        "aggregate": [_aggregate(entry) for entry in aggregate.aggregate(boards)],
        "critical": {axis: _critical(aggregate.critical(boards, axis)) for axis in AXES},
        "claims": [_claim(status) for status in claims.statuses(claims.read(), boards)],
    }


def rows(board: Board) -> dict[str, list]:
    """Returns the figures of every row of a task, column by column, in the order of its groups."""
    made = [_row(entry) for division in board.divisions for entry in entries(board.task, division)]
    for stale in board.stale:
        alone = [row._replace(label=label(stale)) for row in rows_of(stale.record)]
        made += [_row(Entry(board.task, row)) | {"reason": text(stale.reason)} for row in alone]
    return {name: [row[name] for row in made] for name in (made[0] if made else ())}


def key(record: Record) -> str:
    """Returns the name of a record that is unique in its task."""
    return f"{record.method.name}-{record.method.digest}"


def summary(value: Summary) -> list:
    """Returns [mean, std, n, low, high]."""
    return [places(value.mean), places(value.std), value.n, places(value.low), places(value.high)]


def label(stale: Stale) -> str:
    """Returns what a record is called that is in no table: method and digest."""
    return full_label(stale.record.method)


def _task(board):
    task: TaskInfo = board.task
    stale = [_record(stale.record, label(stale)) | {"stale": text(stale.reason)} for stale in board.stale]
    return {
        "name": task.name,
        "modality": text(task.modality),
        "version": task.version,
        "metric": text(task.metric),
        "outcome": task.outcome,
        "higher": task.higher_is_better,
        "quality_title": text(quality_title(task)),
        "optimal": told.BY_ID["optimal"].hint,
        "columns": told.columns(task),
        "stale": told.stale_columns(task),
        "axes": told.axes(task),
        "source": text(task.source),
        "fingerprint": text(task.fingerprint),
        "examples": task.rows["test"],
        "batch": task.eval_batch,
        "reach": number(task.reach),
        "margin": number(task.margin),
        "clusters": task.clusters,
        "controls": [[text(name), number(value)] for name, value in sorted(task.controls.items())],
        "groups": [_division(task, division) for division in board.divisions]
        + ([{"name": "stale", "records": stale}] if stale else []),
    }


def _division(task: TaskInfo, division: Division):
    labels = {key(row.record): (row.record, row.label) for row in division.rows}
    best = {axis: {(s.method, s.digest) for s in aggregate.chosen(division.scores, axis)} for axis in AXES}
    return {
        "name": division.name,
        "dense": {
            "quality": summary(division.level),
            "bytes": number(mean([net.bytes for net in division.dense]), 9),
        },
        "sight": [places(end) for end in in_sight(task, division)],
        "near": [places(end) for end in near_dense(task, division)],
        "records": [
            _record(record, label)
            | {
                "scores": _scores(division, record),
                "chosen": [axis for axis in AXES if (record.method.name, record.method.digest) in best[axis]],
            }
            for record, label in labels.values()
        ],
    }


def _scores(division: Division, record: Record) -> dict[str, list]:
    own = [s for s in division.scores if (s.method, s.digest) == (record.method.name, record.method.digest)]
    return {score.axis: [places(value) for value in (score.value, score.low, score.high)] for score in own}


def _record(record: Record, label: str):
    return {
        "key": key(record),
        "label": label,
        "method": record.method.name,
        "digest": record.method.digest,
        "family": text(record.method.family),
        "control": record.method.control,
        "knob": text(", ".join(record.method.knobs)),
        "division": record.division,
        "budget": record.method.budget,
        "reference": record.method.reference,
        "tuning": text(facts.tuned(record)),
        "device": text("; ".join(devices(record, record.points))),
    }


def _row(entry: Entry) -> dict[str, Any]:
    """Returns the value of each column, what stands for it and beside it, and what the page asks of a row besides."""
    row, figures = entry.row, entry.row.figures
    made: dict[str, Any] = {"record": key(row.record), "whole": int(row.whole), "close": int(cells.close(entry))}
    for column in COLUMNS:
        made |= told.cell(column, entry)
    std, low, high = (figures.quality.std, figures.quality.low, figures.quality.high) if figures else (None,) * 3
    spread = {"std": places(std), "low": places(low), "high": places(high)}
    return made | spread | {"beaten": cells.beaten(entry), "verified": _verified(row), "reason": None}


def _verified(row: Row) -> str | None:
    """Which runs of the row were made again; None if none was."""
    seeds = {found.seed for found in row.record.verified if found.strength == row.point.strength}
    return f"made again: seed {', '.join(map(str, sorted(seeds)))}" if seeds else None


def _aggregate(entry):
    values = {name: places(getattr(entry, name)) for name in ("value", "low", "high")}
    told = {"method": entry.method, "axis": entry.axis, "tasks": entry.tasks, "missing": list(entry.missing)}
    return told | values | {"rank": entry.rank and display.ranks(entry.rank)}


def _critical(found):
    if found is None:
        return None
    ranks = {method: places(rank) for method, rank in found.ranks.items()}
    return {"ranks": ranks, "difference": places(found.difference), "p": number(found.p, 3)}


def _claim(status):
    claim = status.claim
    names = ("task", "method", "metric", "paper", "arxiv", "where")
    return {name: text(getattr(claim, name)) for name in names} | {
        "strength": strength_text(claim.strength),
        "value": number(claim.value, 6),
        "tolerance": number(claim.tolerance, 3),
        "status": status.status,
        "reproduced": summary(status.reproduced) if status.reproduced else None,
    }
