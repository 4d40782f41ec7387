"""What the board says beyond a single table, as grids of cells: curve scores, methods over all tasks, claims."""

from collections.abc import Sequence

from leaderboard.board import display
from leaderboard.board.aggregate import Aggregate
from leaderboard.board.board import Division
from leaderboard.board.claims import Status
from leaderboard.board.scores import AXES
from leaderboard.record.layout import strength_text

Grid = list[list[str]]


def scores(division: Division) -> Grid:
    """Returns header and a row per record, the best over bytes first and curves without a score last."""
    labels = {(row.record.method.name, row.record.method.digest): row.label for row in division.rows}
    found: dict[tuple[str, str], dict] = {}
    for score in division.scores:
        if score.seeds or score.partial:
            found.setdefault((score.method, score.digest), {})[score.axis] = score
    order = sorted(found, key=lambda key: (-_value(found[key], "bytes"), -_value(found[key], "latency"), key))
    rows = [[labels[key], *(_score(found[key].get(axis)) for axis in AXES), _seeds(found[key])] for key in order]
    return [["method", *(f"score over {axis}" for axis in AXES), "n"], *rows]


def _value(scores, axis):
    return scores[axis].value if axis in scores and scores[axis].seeds else -1.0


def _score(score):
    if score and score.partial:
        return "partial"
    return display.interval(score.value, score.low, score.high, digits=3) if score else display.MISSING


def _seeds(scores):
    count = max(len(score.seeds) for score in scores.values())
    return f"{count} †" if count == 1 else str(count or display.MISSING)


def aggregates(found: Sequence[Aggregate], axis: str) -> Grid:
    """Returns header and a row per method; only methods that lack no task have a place."""
    rows, place = [], 0
    for a in (a for a in found if a.axis == axis):
        place += not a.missing
        value = display.interval(a.value, a.low, a.high, digits=3)
        count = f"{a.tasks} of {a.tasks + len(a.missing)}"
        rows.append([display.MISSING if a.missing else str(place), a.method, value, count, ", ".join(a.missing)])
    return [["", "method", f"IQM over {axis}", "tasks", "missing"], *rows]


def claims(statuses: Sequence[Status]) -> Grid:
    """Returns header and a row per claim."""
    header = ["task", "method", "strength", "metric", "claimed", "reproduced", "n", "tolerance", "status", "source"]
    return [header, *(_claim(status) for status in statuses)]


def _claim(status):
    claim, found = status.claim, status.reproduced
    strength = strength_text(claim.strength) or display.MISSING
    source = f"{claim.paper}, {'' if claim.arxiv is None else f'arXiv {claim.arxiv}, '}{claim.where}"
    shown = [display.MISSING] * 2
    if found:
        shown = [display.spread(found), f"{found.n} †" if found.n == 1 else str(found.n)]
    claimed, tolerance = display.fixed(claim.value), f"± {display.fixed(claim.tolerance)}"
    return [claim.task, claim.method, strength, claim.metric, claimed, *shown, tolerance, status.status, source]
