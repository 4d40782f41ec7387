"""What the board says beyond a single table, as grids of cells: methods at a budget, scores, all tasks, claims."""

from collections.abc import Sequence

from leaderboard.board import display
from leaderboard.board.aggregate import Aggregate
from leaderboard.board.board import Division
from leaderboard.board.budgets import Entrant
from leaderboard.board.claims import Status
from leaderboard.board.rows import Row, strength
from leaderboard.board.scores import AXES
from leaderboard.record.layout import strength_text
from leaderboard.render.cells import single
from leaderboard.stats.over_tasks import Critical

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


def budgets(division: Division) -> Grid:
    """Returns header and a row per method: under each budget its rank, quality and strength."""
    found: dict[str, dict[int, str]] = {}
    for budget in reversed(division.budgets):
        for entrant in budget.entrants:
            row = division.rows[entrant.place]
            found.setdefault(row.record.method.name, {})[budget.bytes] = _entrant(entrant, row)
    sizes = [budget.bytes for budget in division.budgets]
    rows = [[method, *(cells.get(size, display.MISSING) for size in sizes)] for method, cells in found.items()]
    return [["method", *(f"at most {display.si(size, 'B')}" for size in sizes)], *rows]


def _entrant(entrant: Entrant, row: Row) -> str:
    quality = display.fixed(row.figures.quality.mean) if row.figures else display.MISSING
    what = ", ".join(part for part in (quality, strength(row)) if part != display.MISSING)
    return f"{display.ranks(entrant.rank)}{single(row)}: {what}"


def aggregates(found: Sequence[Aggregate], axis: str, critical: Critical | None) -> Grid:
    """Returns header and a row per method; only methods that lack no task have ranks.

    Args:
        found: of all axes.
        axis: "bytes" or "latency".
        critical: mean ranks on that axis, where they are known.
    """
    places = {} if critical is None else critical.ranks
    apart = "" if critical is None else f" (apart by {critical.difference:.2f})"
    return [
        ["rank", "method", f"mean score over {axis}", f"mean rank{apart}", "tasks", "missing"],
        *(_aggregate(a, places.get(a.method)) for a in found if a.axis == axis),
    ]


def _aggregate(a: Aggregate, place: float | None) -> list[str]:
    rank = display.MISSING if a.rank is None else display.ranks(a.rank)
    middle = display.MISSING if place is None else f"{place:.2f}"
    count = f"{a.tasks} of {a.tasks + len(a.missing)}"
    return [rank, a.method, display.interval(a.value, a.low, a.high, digits=3), middle, count, ", ".join(a.missing)]


def claims(statuses: Sequence[Status]) -> Grid:
    """Returns header and a row per claim."""
    header = ["task", "method", "strength", "metric", "claimed", "reproduced", "n", "tolerance", "status", "source"]
    return [header, *(_claim(status) for status in statuses)]


def _claim(status):
    claim, found = status.claim, status.reproduced
    asked = strength_text(claim.strength) or display.MISSING
    source = f"{claim.paper}, {'' if claim.arxiv is None else f'arXiv {claim.arxiv}, '}{claim.where}"
    shown = [display.MISSING] * 2
    if found:
        shown = [display.spread(found), f"{found.n} †" if found.n == 1 else str(found.n)]
    claimed, tolerance = display.fixed(claim.value), f"± {display.fixed(claim.tolerance)}"
    return [claim.task, claim.method, asked, claim.metric, claimed, *shown, tolerance, status.status, source]
