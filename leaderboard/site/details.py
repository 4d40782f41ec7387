"""What the page unpacks only when a record is opened or two are compared: every seed, and every test example."""

import json
from typing import Any

from leaderboard.board.board import Board
from leaderboard.board.comparisons import beats
from leaderboard.board.rows import Comparison, Row, Timings, rows_of
from leaderboard.record.layout import strength_text
from leaderboard.record.schema import Record, Result
from leaderboard.render.cells import p_text
from leaderboard.site.payload import key
from leaderboard.site.values import number, places, text, tree

MOST = 1_500_000
"""Characters of one record in a block. What is larger is left out, and the page says so."""


def records(board: Board) -> dict[str, Any]:
    """Returns by key: provenance, configuration, seeds, comparisons and remarks of each record of a task."""
    ranked = [(row.record, row) for division in board.divisions for row in division.rows]
    old = [(stale.record, row) for stale in board.stale for row in rows_of(stale.record)]
    found: dict[str, tuple[Record, list[Row]]] = {}
    for record, row in ranked + old:
        found.setdefault(key(record), (record, []))[1].append(row)
    return _bounded({name: _record(*entry) for name, entry in found.items()})


def _bounded(found: dict[str, Any]) -> dict[str, Any]:
    """Without the records that would take the room of the others."""
    return {name: value for name, value in found.items() if len(json.dumps(value)) <= MOST}


def outcomes(board: Board) -> dict[str, list]:
    """Returns of ranked records, by key, strength by strength and seed by seed: "0110…", or losses of five digits.

    None stands for a failed run.
    """
    ranked = {key(row.record): row.record for division in board.divisions for row in division.rows}
    return _bounded(
        {name: [[_outcomes(run.result) for run in p.runs] for p in record.points] for name, record in ranked.items()}
    )


def _outcomes(result: Result | None):
    if result is None or isinstance(result.outcomes, str):
        return result and result.outcomes
    return [number(value, 5) for value in result.outcomes]


def _record(record: Record, rows: list[Row]):
    return {
        "provenance": [_provenance(record, name) for name in sorted(record.provenance, key=_first(record))],
        "config": tree(record.config),
        "verified": [_verified(found) for found in record.verified],
        "dense": [[net.seed, text(net.checkpoint), number(net.quality, 6), net.bytes] for net in record.dense],
        "points": [
            {
                "strength": row.strength,
                "comparisons": {name: _comparison(found, record) for name, found in row.comparisons.items()},
                "remarks": [text(remark) for remark in row.remarks],
                "runs": [_run(run) for run in point.runs],
            }
            for row, point in zip(rows, record.points, strict=True)
        ],
    }


def _first(record):
    """Returns a sort key of provenances: those of the dense nets first, then in the order of the runs."""
    names = [net.provenance for net in record.dense]
    names += [run.provenance for point in record.points for run in point.runs]
    return names.index


def _provenance(record: Record, name: str):
    made = record.provenance[name]
    nets = [str(net.seed) for net in record.dense if net.provenance == name]
    runs = [run for point in record.points for run in point.runs if run.provenance == name]
    return {
        "command": text(made.command),
        "commit": text(made.commit),
        "dirty": made.dirty,
        "device": text(made.device),
        "outside": [text(file) for file in made.outside],
        "libraries": [[text(name), text(version)] for name, version in sorted(made.libraries.items())],
        "settings": [[text(name), text(value)] for name, value in sorted((made.settings or {}).items())],
        "made": f"dense nets of seeds {', '.join(nets) or 'none'}; {len(runs)} runs",
    }


def _verified(found):
    return {
        "seed": found.seed,
        "strength": strength_text(found.strength),
        "quality": number(found.quality, 6),
        "tolerance": number(found.tolerance, 3),
        "device": text(found.device),
        "commit": text(found.commit),
        "date": found.date,
    }


def _comparison(found: Comparison, record: Record):
    return {
        "beats": beats(found, higher_is_better=record.task.higher_is_better),
        "against": text(found.against),
        "row": found.other and f"{key(found.other.record)}@{found.other.strength}",
        "bytes": found.other and found.other.figures and number(found.other.figures.bytes, 9),
        "difference": [places(value) for value in (found.found.difference, found.found.low, found.found.high)],
        "p": text(p_text(found)),
        "about": text(found.found.about),
    }


def _run(run):
    if run.result is None:
        return {"seed": run.seed, "failure": text(run.failure), "skipped": text(run.skipped)}
    result = run.result
    return {
        "seed": run.seed,
        "quality": number(result.quality, 6),
        "valid": number(result.valid_quality, 6),
        "bytes": result.bytes,
        "parameters": result.parameters,
        "density": number(result.density, 4),
        "ms": {name: number(getattr(result.latency, name).median_ms, 4) for name in Timings._fields},
        "p95": {name: number(getattr(result.latency, name).p95_ms, 4) for name in Timings._fields},
        "memory": result.memory_bytes,
        "seconds": number(result.cost.seconds, 4),
        "steps": result.cost.steps,
        "error": number(result.output_error, 3),
        "artifact": text(result.artifact[:16]),
    }
