"""Methods across tasks: interquartile means and performance profiles of their curve scores (Agarwal et al. 2021).

Agarwal, Schwarzer, Castro, Courville, Bellemare: Deep reinforcement learning at the edge of the statistical
precipice, arXiv 2108.13264, §4. Closed divisions only. A method that has several configurations on a task is
represented by the one whose score on *valid* is best. A task where a method has no score is named as missing: it
counts neither as 0 nor as a mean of the others, and whoever lacks one is not ranked with those who lack none.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from leaderboard.board.board import Board, compared
from leaderboard.board.scores import AXES, Score

RESAMPLES = 2000
CUT = 0.25
"""Share of the runs that an interquartile mean leaves out at each end."""
THRESHOLDS = tuple(i / 20 for i in range(20))
"""Of a profile: scores that are exceeded."""


class Aggregate(NamedTuple):
    """Interquartile mean of the scores of a method, and its 95 % interval: None where no task has two seeds."""

    method: str
    axis: str
    value: float
    low: float | None
    high: float | None
    tasks: int  # with a score
    missing: list[str]  # tasks where others have a score on this axis


def aggregate(boards: Sequence[Board]) -> list[Aggregate]:
    """Returns the aggregate of each axis and method with a score: methods that lack no task first, then the best."""
    found = []
    for axis in AXES:
        table = cells(boards, axis)
        tasks = sorted({task for row in table.values() for task in row})
        found += sorted((_aggregate(method, axis, row, tasks) for method, row in table.items()), key=_order)
    return found


def _order(a):
    return len(a.missing), -a.value, a.method


def cells(boards: Sequence[Board], axis: str) -> dict[str, dict[str, tuple[float, ...]]]:
    """Returns {method: {task: score of each seed}}, without the tasks where dense alone ran, which compare nothing.

    `axis`: "bytes" or "latency".
    """
    table: dict[str, dict[str, tuple[float, ...]]] = {}
    for board, division in compared(boards):
        for score in chosen(division.scores, axis):
            table.setdefault(score.method, {})[board.task.name] = score.seeds
    return table


def chosen(scores: Sequence[Score], axis: str) -> list[Score]:
    """Returns one score of each method on an axis: the best on valid; of equals, the first by digest."""
    best: dict[str, tuple[float, Score]] = {}
    for score in sorted(scores, key=lambda score: score.digest):
        if score.axis != axis or score.valid is None:
            continue
        if score.method not in best or score.valid > best[score.method][0]:
            best[score.method] = score.valid, score
    return [score for _, score in best.values()]


def _aggregate(method, axis, row, tasks):
    scores = [row[task] for task in sorted(row)]
    low, high = interval(scores) if any(len(seeds) > 1 for seeds in scores) else (None, None)
    missing = [task for task in tasks if task not in row]
    return Aggregate(method, axis, iqm(scores), low, high, len(scores), missing)


def iqm(scores: Sequence[Sequence[float]]) -> float:
    """Returns the mean of the middle half of all runs, tasks and seeds together.

    A quarter of the runs, rounded down, is cut off each end.
    """
    return float(_trimmed(np.concatenate(scores)[None])[0])


def _trimmed(runs: np.ndarray) -> np.ndarray:
    from scipy.stats import trim_mean  # takes a second to load, and few commands need it

    return trim_mean(runs, CUT, axis=1)


def interval(scores: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Returns the 95 % percentile interval of `iqm` by stratified bootstrap: each task keeps its number of seeds."""
    rng = np.random.default_rng(0)
    drawn = [np.asarray(seeds)[rng.integers(len(seeds), size=(RESAMPLES, len(seeds)))] for seeds in scores]
    low, high = np.quantile(_trimmed(np.concatenate(drawn, axis=1)), (0.025, 0.975))
    return float(low), float(high)


def profiles(boards: Sequence[Board]) -> dict[str, list[tuple[float, float]]]:
    """Returns {method: [(τ, share of runs whose score over bytes is above τ)]}, each of its tasks with the same weight.

    F(τ) = 1/M · Σ_m 1/N_m · Σ_n 1[x_mn > τ] (eq. 1 of the paper), over the M tasks where the method has a score.
    """
    table = cells(boards, "bytes")
    return {method: [(tau, _above(row.values(), tau)) for tau in THRESHOLDS] for method, row in sorted(table.items())}


def _above(scores, tau):
    return math.fsum(sum(x > tau for x in seeds) / len(seeds) for seeds in scores) / len(scores)
