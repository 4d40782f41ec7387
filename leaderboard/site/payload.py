"""What of the board goes to the page. The page reads `overview` at once and the other parts when they are asked for.

A record's key is "<method>-<digest>", as in its file's name; it is unique in its task.
"""

from typing import Any

from leaderboard.board import aggregate, claims
from leaderboard.board.board import Board, Division
from leaderboard.board.rows import Row, Timings, devices, row_of
from leaderboard.record.layout import strength_text
from leaderboard.record.schema import Record, TaskInfo
from leaderboard.site.values import number, places, text
from leaderboard.stats.summary import Summary, summarize


def overview(boards: list[Board]) -> dict[str, Any]:
    """Tasks with their records and scores, the ranking across tasks, and the claims of papers."""
    return {
        "tasks": [_task(board) for board in boards],
        "aggregate": [_aggregate(entry) for entry in aggregate.aggregate(boards)],
        "profiles": {
            name: [[number(t), places(share)] for t, share in steps]
            for name, steps in sorted(aggregate.profiles(boards).items())
        },
        "claims": [_claim(status) for status in claims.statuses(claims.read(), boards)],
    }


def rows(board: Board) -> dict[str, list]:
    """The figures of every row of a task, column by column, in the order of its groups."""
    made = [
        _row(row, optimal)
        for division in board.divisions
        for row, optimal in zip(division.rows, division.optimal, strict=True)
    ]
    made += [_row(row_of(stale.record, point), False) for stale in board.stale for point in stale.record.points]
    return {name: [row[name] for row in made] for name in (made[0] if made else ())}


def key(record: Record) -> str:
    return f"{record.method.name}-{record.method.digest}"


def summary(value: Summary) -> list:
    """[mean, std, n, low, high]"""
    return [places(value.mean), places(value.std), value.n, places(value.low), places(value.high)]


def _task(board):
    task: TaskInfo = board.task
    stale = [_record(stale.record) | {"stale": text(stale.reason)} for stale in board.stale]
    return {
        "name": task.name,
        "modality": text(task.modality),
        "version": task.version,
        "metric": text(task.metric),
        "outcome": task.outcome,
        "higher": task.higher_is_better,
        "source": text(task.source),
        "fingerprint": text(task.fingerprint),
        "examples": task.rows["test"],
        "batch": task.eval_batch,
        "reach": number(task.reach),
        "reference": number(task.reference),
        "controls": [[text(name), number(value)] for name, value in sorted(task.controls.items())],
        "groups": [_division(division) for division in board.divisions]
        + ([{"name": "stale", "records": stale}] if stale else []),
    }


def _division(division: Division):
    scores = {}
    for score in division.scores:
        values = [places(value) for value in (score.value, score.low, score.high, score.valid)]
        scores.setdefault((score.method, score.digest), {})[score.axis] = values
    records = {key(row.record): row.record for row in division.rows}.values()
    return {
        "name": division.name,
        "dense": {
            "quality": summary(summarize([net.quality for net in division.dense])),
            "bytes": number(summarize([net.bytes for net in division.dense]).mean),
        },
        "records": [_record(r) | {"scores": scores.get((r.method.name, r.method.digest), {})} for r in records],
    }


def _record(record: Record):
    return {
        "key": key(record),
        "method": record.method.name,
        "digest": record.method.digest,
        "family": text(record.method.family),
        "control": record.method.control,
        "knob": text(", ".join(record.method.knobs)),
        "division": record.division,
        "budget": record.method.budget,
        "device": text("; ".join(devices(record, record.points))),
        "verified": len(record.verified),
    }


def _row(row: Row, optimal: bool):
    low, high = row.rank or (None, None)
    found = row.comparisons
    control = found.get("control")
    return {
        "record": key(row.record),
        "strength": row.strength,
        "optimal": int(optimal),
        "finished": row.finished,
        "asked": row.asked,
        "rank_low": low,
        "rank_high": high,
        "tie": row.tie,
        **{f"p_{name}": number(found[name].p, 2) if name in found else None for name in ("dense", "control", "best")},
        "control_difference": places(control.difference) if control else None,
        **_figures(row.figures),
    }


def _figures(figures):
    """None throughout where no seed finished."""
    quality = summary(figures.quality) if figures else [None] * 5
    difference = summary(figures.difference) if figures else [None] * 5
    numbers = {"quality": quality[0], "std": quality[1], "low": quality[3], "high": quality[4]}
    numbers |= {"difference": difference[0], "difference_std": difference[1]}
    for name in ("bytes", "ratio", "macs", "effective_macs", "bops", "seconds", "steps", "teacher_forwards"):
        numbers[name] = number(getattr(figures, name), 4) if figures else None
    for name in Timings._fields:
        timing = getattr(figures.latency, name) if figures else None
        numbers[f"ms_{name}"] = number(timing.median_ms, 3) if timing else None
        numbers[f"speedup_{name}"] = number(timing.speedup, 3) if timing else None
    return numbers | {"execution": figures.execution if figures else None}


def _aggregate(entry):
    values = {name: places(getattr(entry, name)) for name in ("value", "low", "high")}
    return {"method": entry.method, "axis": entry.axis, "tasks": entry.tasks, "missing": list(entry.missing)} | values


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
