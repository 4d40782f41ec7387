"""Methods over tasks: the mean of their scores, each task with the same weight, and who is better than whom.

Table: {method: {task: {seed: score}}}. Every method here has every task.
- Interval of a mean: a bootstrap in two stages, of tasks and then of the seeds within each task, by the same draws for
  all methods. So it is about new tasks of this kind; with few of them it is narrow rather than wide.
- Ranks: of every pair the t test of its differences by task, with Holm's correction over all pairs. What seeds add to
  the spread is in these differences already. The t sees how few tasks there are, which the bootstrap does not.
- Critical difference: mean ranks, Friedman's test, and the difference of mean ranks that Nemenyi's test tells apart
  (Demšar 2006, JMLR 7:1).
"""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from leaderboard.stats.ranks import Contrast, ranks, superior
from leaderboard.stats.significance import RISK, t_tail
from leaderboard.stats.summary import ROUNDING, mean, spread

Table = Mapping[str, Mapping[str, Mapping[int, float]]]
RESAMPLES = 2000


class Critical(NamedTuple):
    """What a critical-difference diagram shows. Rank 1 is the best."""

    ranks: dict[str, float]  # mean over tasks; equal scores share
    difference: float  # between mean ranks, from which on two are told apart
    p: float  # of Friedman's test that all are alike


def means(table: Table) -> dict[str, float]:
    """Returns the mean over tasks of the mean over seeds of each method."""
    return {method: mean([mean(list(seeds.values())) for seeds in row.values()]) for method, row in table.items()}


def intervals(table: Table) -> dict[str, tuple[float, float] | None]:
    """Returns the 95 % percentile interval of each mean; None where there is a single task."""
    tasks = sorted(next(iter(table.values()), {}))
    if len(tasks) < 2:
        return dict.fromkeys(table)
    rng = np.random.default_rng(0)
    chosen = rng.integers(len(tasks), size=(RESAMPLES, len(tasks)))
    drawn = {method: np.zeros(chosen.shape) for method in table}
    for k, task in enumerate(tasks):
        for method, values in _task_means(table, task, rng, chosen.shape).items():
            drawn[method] += np.where(chosen == k, values, 0)
    ends = {method: np.quantile(values.mean(1), (0.025, 0.975)) for method, values in drawn.items()}
    return {method: (float(low), float(high)) for method, (low, high) in ends.items()}


def _task_means(table, task, rng, shape):
    """Of each method, means over drawn seeds. Of the seeds that all have between them, as many are drawn."""
    seeds = sorted({seed for row in table.values() for seed in row[task]})
    weight = rng.multinomial(len(seeds), np.full(len(seeds), 1 / len(seeds)), size=shape).astype(float)
    found = {}
    for method, row in table.items():
        own = np.array([row[task].get(seed, math.nan) for seed in seeds])
        ran = ~np.isnan(own)
        total = weight[..., ran].sum(-1)
        drawn = (weight[..., ran] @ own[ran]) / np.maximum(total, 1)
        found[method] = np.where(total > 0, drawn, own[ran].mean())
    return found


def standings(table: Table) -> dict[str, tuple[int, int]]:
    """Returns the ranks that each method may have, from and to, by t tests over tasks on common seeds."""
    names = list(table)
    above = superior([_contrast(table[a], table[b]) for a, b in combinations(names, 2)], len(names))
    return dict(zip(names, ranks(above), strict=True))


def _contrast(a, b) -> Contrast | None:
    common = [[a[task][seed] - b[task][seed] for seed in sorted(a[task].keys() & b[task].keys())] for task in a]
    if len(common) < 2 or not all(common):
        return None
    differences = [mean(one) for one in common]
    n, gain, error = len(differences), mean(differences), spread(differences) or 0.0
    if error <= ROUNDING * abs(gain):
        return Contrast(gain, 2 / 2**n if gain else 1.0)
    return Contrast(gain, t_tail(gain, error / math.sqrt(n), n - 1))


def critical(table: Table) -> Critical | None:
    """Returns mean ranks and the critical difference; None of fewer than three methods or two tasks."""
    tasks = sorted(next(iter(table.values()), {}))
    if len(table) < 3 or len(tasks) < 2:
        return None
    from scipy import stats  # takes a second to load, and few commands need it

    scores = np.array([[mean(list(row[task].values())) for task in tasks] for row in table.values()])
    places = stats.rankdata(-np.round(scores, 9), axis=0)
    count = len(table)
    q = stats.studentized_range.ppf(1 - RISK, count, np.inf) / math.sqrt(2)
    known = any(len(set(column)) > 1 for column in places.T)
    p = float(stats.friedmanchisquare(*places).pvalue) if known else 1.0
    names: Sequence[str] = list(table)
    found = dict(zip(names, places.mean(1).tolist(), strict=True))
    return Critical(found, float(q * math.sqrt(count * (count + 1) / (6 * len(tasks)))), p)
