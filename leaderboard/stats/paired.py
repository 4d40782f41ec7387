"""What an entry does, and what it does better than another one on the same seeds and test examples.

There is one question everywhere: the mean difference in quality, over new seeds and new examples, by the crossed model
of crossed.py. Its interval and its p are of one test. It is the same for what is right or wrong, for edits and for
losses, as quality is the mean of outcomes.
- Where a task has clusters of examples that depend on each other, clusters are the units. They may differ in size, and
  the mean is over examples; so a cluster stands for its residuals, Σ (y - ȳ) over its examples, as in cluster-robust
  standard errors (Cameron & Miller 2015, JHR 50:317).
- One common seed: the answer is about this seed's nets, on new examples.
- Without outcomes of the other side, all that is known is one number a seed: a paired t over seeds, which takes the
  test examples as given.
- No example differs: p is 1, and the interval is what may still be: the exact bound of a share of which none was seen,
  times what one example can be worth.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from leaderboard.stats.crossed import Estimate, crossed
from leaderboard.stats.significance import RISK, t_quantile, t_tail, unseen
from leaderboard.stats.summary import ANYWHERE, ROUNDING, Summary, mean, spread, summarize

CROSSED, GIVEN_SEED, GIVEN_EXAMPLES = "over seeds and examples", "over examples, given the seed", "over seeds alone"
"""What a finding is about."""


class Clusters(NamedTuple):
    """Which examples depend on each other."""

    order: np.ndarray  # of examples, such that those of a cluster stand together
    starts: np.ndarray  # of each cluster, its first place in that order
    sizes: np.ndarray  # of each cluster, its examples


@dataclass(frozen=True)
class Sample:
    """Qualities and outcomes of one entry."""

    quality: dict[int, float]  # by seed
    outcomes: dict[int, str | list[float]]  # by seed, as a record holds them; without the seeds of which none are known
    clusters: Clusters | None = None  # None where examples are independent

    @cached_property
    def values(self) -> dict[int, np.ndarray]:
        """Outcomes of each seed, [examples]: int8 where they are right or wrong."""
        return {seed: _values(found, self.clusters) for seed, found in self.outcomes.items()}

    @property
    def counts(self) -> bool:
        """Whether outcomes are right or wrong: quality is then within 0 and 1."""
        return any(isinstance(found, str) for found in self.outcomes.values())


class Finding(NamedTuple):
    """A difference in quality, and the p of "there is none".

    The ends are None where a single example, a single cluster, or seeds that agree show no spread.
    """

    difference: float
    low: float | None  # of the 95 % interval
    high: float | None
    least: float | None  # of the one-sided bounds of 95 % each
    most: float | None
    p: float
    seeds: int  # that both have
    about: str  # CROSSED, GIVEN_SEED or GIVEN_EXAMPLES


def clusters(labels: Sequence[int] | None) -> Clusters | None:
    """Returns the clusters of examples with equal labels; None if there are no labels."""
    if labels is None:
        return None
    order = np.argsort(labels, kind="stable")
    _, starts, sizes = np.unique(np.asarray(labels)[order], return_index=True, return_counts=True)
    return Clusters(order, starts, sizes)


def sample(runs: Iterable[tuple[int, float, str | list[float] | None]], clusters: Clusters | None = None) -> Sample:
    """Returns the sample of (seed, quality, outcomes as a record holds them; None if unknown) of each run."""
    runs = list(runs)
    outcomes = {seed: values for seed, _, values in runs if values is not None}
    return Sample({seed: quality for seed, quality, _ in runs}, outcomes, clusters)


def _values(outcomes, clusters):
    if isinstance(outcomes, str):
        values = (np.frombuffer(outcomes.encode(), np.uint8) & 1).view(np.int8)  # "0" is 48, "1" is 49
    else:
        values = np.asarray(outcomes, float)
    return values if clusters is None else values[clusters.order]


def compare(a: Sample, b: Sample) -> Finding | None:
    """Returns a - b; None if they share no seed, or only one, and its outcomes are not known.

    Both have the same examples and clusters.
    """
    seeds = sorted(a.quality.keys() & b.quality.keys())
    differences = [a.quality[seed] - b.quality[seed] for seed in seeds]
    bound = 1.0 if a.counts or b.counts else math.inf
    if seeds and all(seed in a.outcomes and seed in b.outcomes for seed in seeds):
        one, other = (np.stack([side.values[seed] for seed in seeds]) for side in (a, b))
        return _outcomes(mean(differences), one, other, a.clusters, bound)
    return _seeds(differences, bound) if len(seeds) > 1 else None


def _outcomes(difference, one, other, clusters, bound):
    about = CROSSED if len(one) > 1 else GIVEN_SEED
    changes = one - other
    if _units(changes, clusters) < 2:
        return Finding(difference, None, None, None, None, 1.0, len(one), about)
    changed = np.count_nonzero(changes)
    if not changed:
        worth = min(bound, float(max(np.abs(one).max(), np.abs(other).max())) or 1.0)
        both, single = (worth * unseen(changes.shape[1], risk) for risk in (RISK / 2, RISK))
        return Finding(difference, -both, both, -single, single, 1.0, len(one), about)
    changes = changes.astype(float)
    step = math.sqrt(float(np.square(changes).sum()) / changed)
    return _finding(difference, _estimate(changes, clusters, step), bound, len(one), about)


def _seeds(differences, bound):
    error, average = spread(differences), mean(differences)
    assert error is not None
    n = len(differences)
    if error <= ROUNDING * abs(average):
        return Finding(average, None, None, None, None, 2 / 2**n if average else 1.0, n, GIVEN_EXAMPLES)
    return _finding(average, Estimate(average, error / math.sqrt(n), n - 1), bound, n, GIVEN_EXAMPLES)


def _finding(difference, found: Estimate, bound, seeds, about):
    """What is beyond ±bound is cut off: it cannot be, so nothing is lost."""

    def ends(risk):
        half = t_quantile(found.df, risk) * found.error
        return max(difference - half, -bound), min(difference + half, bound)

    p = t_tail(found.mean, found.error, found.df)
    return Finding(difference, *ends(RISK / 2), *ends(RISK), p, seeds, about)


def _units(values, clusters):
    return values.shape[1] if clusters is None else len(clusters.sizes)


def _estimate(values, clusters, step=0.0):
    """Of [seeds, examples]; each cluster stands for the mean and, in proportion, its residuals."""
    if clusters is None:
        return crossed(values, step)
    average, scale = values.mean(), len(clusters.sizes) / values.shape[1]
    sums = np.add.reduceat(values, clusters.starts, axis=1)
    return crossed(average + (sums - clusters.sizes * average) * scale, step * scale)


def level(entry: Sample, possible: tuple[float, float] = ANYWHERE) -> Summary:
    """Returns the mean quality over seeds, its standard deviation over them, and its interval by the crossed model.

    The interval is made on a scale without ends and carried back, so that it stays in the possible range: of the
    log-odds where outcomes are right or wrong, else of the logarithm, as no loss and no count is below 0.

    Without outcomes it is Student's over seeds. `possible`: range of quality, which cuts that off.
    """
    qualities = list(entry.quality.values())
    average, n = mean(qualities), len(qualities)
    if len(entry.outcomes) < n:
        return summarize(qualities, possible)
    values = np.stack(list(entry.values.values()))
    low, high = _ends(values, entry) if _units(values, entry.clusters) > 1 else (None, None)
    return Summary(average, spread(qualities), n, low, high)


def _ends(values, entry):
    least, greatest = float(values.min()), float(values.max())
    if least == greatest:
        room = unseen(values.shape[1], RISK / 2) * (1.0 if entry.counts else abs(greatest) or 1.0)
        lowest, highest = 0.0 if least >= 0 else -math.inf, 1.0 if entry.counts else math.inf
        return max(least - room, lowest), min(least + room, highest)
    found = _estimate(values.astype(float), entry.clusters, float(values.std()))
    middle, half = found.mean, t_quantile(found.df) * found.error
    if entry.counts:
        odds, slope = math.log(middle / (1 - middle)), 1 / (middle * (1 - middle))
        return tuple(_share(odds + side * half * slope) for side in (-1, 1))
    if least < 0:
        return middle - half, middle + half
    return tuple(middle * math.exp(min(side * half / middle, 200.0)) for side in (-1, 1))


def _share(odds):
    return 1 / (1 + math.exp(-odds)) if odds > -700 else 0.0
