"""Methods over tasks: the mean of their curve scores, its interval, and the ranks that they may have.

Closed divisions only. A method that has several configurations on a task is represented by the one whose score on
*valid* is best. Each task weighs the same, whatever its number of seeds. A task where a method has no score is named as
missing: it counts neither as 0 nor as a mean of the others, and whoever lacks one is not ranked with those who lack
none.
"""

from collections.abc import Sequence
from typing import NamedTuple

from leaderboard.board.board import Board, compared
from leaderboard.board.scores import AXES, Score
from leaderboard.stats import over_tasks
from leaderboard.stats.over_tasks import Critical


class Aggregate(NamedTuple):
    """Mean score of a method over its tasks, and its 95 % interval: None of a single task."""

    method: str
    axis: str
    value: float
    low: float | None
    high: float | None
    rank: tuple[int, int] | None  # from, to; None of a method that lacks a task
    tasks: int  # with a score
    missing: list[str]  # tasks where others have a score on this axis


def aggregate(boards: Sequence[Board]) -> list[Aggregate]:
    """Returns the aggregate of each axis and method with a score: methods that lack no task first, then the best."""
    found = []
    for axis in AXES:
        table = cells(boards, axis)
        ranked = over_tasks.standings(complete(table))
        ends = over_tasks.intervals(complete(table))
        values, tasks = over_tasks.means(table), _tasks(table)
        for method, row in table.items():
            low, high = ends.get(method) or over_tasks.intervals({method: row})[method] or (None, None)
            missing = [task for task in tasks if task not in row]
            found.append(Aggregate(method, axis, values[method], low, high, ranked.get(method), len(row), missing))
    return sorted(found, key=lambda a: (AXES.index(a.axis), len(a.missing), -a.value, a.method))


def critical(boards: Sequence[Board], axis: str) -> Critical | None:
    """Returns mean ranks and critical difference of the methods that lack no task. `axis`: "bytes" or "latency"."""
    return over_tasks.critical(complete(cells(boards, axis)))


def cells(boards: Sequence[Board], axis: str) -> dict[str, dict[str, dict[int, float]]]:
    """Returns {method: {task: {seed: score}}}, without the tasks where dense alone ran, which compare nothing.

    `axis`: "bytes" or "latency".
    """
    table: dict[str, dict[str, dict[int, float]]] = {}
    for board, division in compared(boards):
        for score in chosen(division.scores, axis):
            table.setdefault(score.method, {})[board.task.name] = dict(score.seeds)
    return table


def complete(table: over_tasks.Table) -> dict[str, over_tasks.Mapping]:
    """Returns the methods of a table that lack no task."""
    tasks = _tasks(table)
    return {method: row for method, row in table.items() if len(row) == len(tasks)}


def _tasks(table):
    return sorted({task for row in table.values() for task in row})


def chosen(scores: Sequence[Score], axis: str) -> list[Score]:
    """Returns one score of each method on an axis: the best on valid; of equals, the first by digest."""
    best: dict[str, tuple[float, Score]] = {}
    for score in sorted(scores, key=lambda score: score.digest):
        if score.axis != axis or score.valid is None:
            continue
        if score.method not in best or score.valid > best[score.method][0]:
            best[score.method] = score.valid, score
    return [score for _, score in best.values()]
