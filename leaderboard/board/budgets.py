"""Methods at a budget: who is best among those that offer an artifact of at most so many bytes.

A method offers one artifact: of all its configurations and strengths that fit, the one that is best on *valid*. So
ranks compare methods, not the points of their curves, and a method gains nothing by entering many. Only rows whose
seeds all finished are offered. The budgets are three sizes in the task's window.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from leaderboard.board.comparisons import best_on_valid
from leaderboard.board.rows import Row
from leaderboard.record.schema import TaskInfo
from leaderboard.stats.paired import Sample, compare
from leaderboard.stats.ranks import Contrast, ranks, superior


class Entrant(NamedTuple):
    """What a method offers under a budget, and where it stands among the others."""

    place: int  # in the rows of the table
    rank: tuple[int, int]  # from, to; 1 is the best


class Budget(NamedTuple):
    """The methods under a budget, by mean quality, the best first."""

    bytes: int
    entrants: list[Entrant]


def sizes(task: TaskInfo) -> list[int]:
    """Returns the budgets of a task in bytes: both ends of its window and their geometric mean; none without one."""
    if task.window is None:
        return []
    low, high = task.window
    return sorted({low, round(math.sqrt(low * high)), high})


def budgets(task: TaskInfo, rows: Sequence[Row], samples: Sequence[Sample | None]) -> list[Budget]:
    """Returns who offers what under each budget of a task.

    Args:
        task: of the table.
        rows: of the table.
        samples: outcomes of each row, None if it has no figures.
    """
    better = 1 if task.higher_is_better else -1
    contrast = _Contrasts(samples, better)
    return [Budget(size, _entrants(_offers(rows, size, better), rows, contrast, better)) for size in sizes(task)]


def _offers(rows, size, better):
    fit = defaultdict(list)
    for i, row in enumerate(rows):
        if row.whole and row.figures is not None and row.figures.bytes <= size:
            fit[row.record.method.name].append(i)
    return [best_on_valid(rows, places, better) for places in fit.values()]


def _entrants(offers, rows, contrast, better):
    order = sorted(offers, key=lambda i: (-better * rows[i].figures.quality.mean, rows[i].figures.bytes, i))
    above = superior([contrast.of(i, j) for i, j in combinations(order, 2)], len(order))
    return [Entrant(*entry) for entry in zip(order, ranks(above), strict=True)]


class _Contrasts:
    """Of pairs of rows, each tested once although it may meet under several budgets."""

    def __init__(self, samples: Sequence[Sample | None], better: int) -> None:
        self.samples, self.better, self.known = samples, better, {}

    def of(self, i, j):
        if (i, j) not in self.known:
            found = compare(self.samples[i], self.samples[j])
            self.known[i, j] = found and Contrast(self.better * found.difference, found.p)
        return self.known[i, j]
