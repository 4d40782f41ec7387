"""Paired comparison of two entries on the same seeds and test examples.

With fewer than ENOUGH seeds the test is over examples, as a t over three seeds sees little short of a disaster. Its
p is about *these nets* on new examples, and says nothing about nets of new seeds. Examples are the units: seeds are
averaged within each example first, as the same example under three seeds is no three independent ones.
- Right or wrong: of the examples that one side gets right under more seeds than the other, an exact sign test asks
  whether they favour one side. With one seed that is McNemar's exact test.
- Losses and edits: a paired bootstrap over examples. Its interval holds 95 % of 1,000 resampled means. Its p is the
  tail of a normal with the bootstrap's standard error, √Σ(d - d̄)² / N (Efron & Tibshirani 1993, §5.3): counting
  resamples cannot show a p below 1/1,000, and Holm's correction over a table needs smaller ones.
Examples of one cluster (a speaker, a document) depend on each other, and then a test over examples is too sure
(Obuchowski 1998, Statistics in Medicine 17:1495; Durkalski et al. 2003, 22:2417). The units are the clusters then, each
with the sum of its differences:
- Right or wrong: an exact randomization test that swaps the two sides in whole clusters (Fisher 1935, §21; Gail et al.
  1996, Statistics in Medicine 15:1069). Of one seed and clusters of one example it is McNemar's exact test.
- Losses and edits: a bootstrap over clusters (Field & Welsh 2007, JRSS B 69:369). Its p is that of a t with K - 1
  degrees of freedom for K clusters and the cluster-robust standard error (Cameron & Miller 2015, JHR 50:317).
With ENOUGH seeds, or where the other side's outcomes are not known, it is a paired t over seeds: about nets of new
seeds, on these examples.
"""

import functools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from leaderboard.stats.significance import (
    bootstrap_intervals,
    normal_tail,
    paired_t,
    randomization_test,
    sign_test,
    standard_error,
    t_tail,
)
from leaderboard.stats.summary import ENOUGH, mean, quantile, summarize

STUDENT = "paired t over seeds"
MCNEMAR, BOOTSTRAP = "exact McNemar over examples", "paired bootstrap over examples"
SWAPS, CLUSTERED = "exact randomization over clusters", "paired bootstrap over clusters"
BATCH = 512  # pairs whose examples are in memory at once


class Clusters(NamedTuple):
    """Which examples depend on each other."""

    of: np.ndarray  # of each example, its cluster from 0
    sizes: np.ndarray  # of each cluster, its examples


class Sample(NamedTuple):
    """Qualities and outcomes of one entry."""

    quality: dict[int, float]  # by seed
    outcomes: dict[int, str | list[float]]  # by seed, as a record holds them
    total: np.ndarray | None  # of each example or cluster, summed over seeds; integers where it is right or wrong
    clusters: Clusters | None = None  # None where examples are independent


class Pair(NamedTuple):
    """One entry minus another, over the seeds of both."""

    seeds: list[float]  # differences in quality
    units: np.ndarray | None  # differences of examples or clusters, summed over seeds; None: the test is over seeds
    sizes: np.ndarray | None = None  # examples of each cluster; None where examples are the units


class Finding(NamedTuple):
    """A difference in quality, its 95 % interval, and the p of "there is none"."""

    difference: float
    low: float | None  # None where a single example or cluster shows no spread
    high: float | None
    p: float
    test: str


def clusters(labels: Sequence[int] | None) -> Clusters | None:
    """Returns the clusters of examples with equal labels; None if there are no labels."""
    if labels is None:
        return None
    _, of, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    return Clusters(of, sizes)


def sample(runs: Iterable[tuple[int, float, str | list[float] | None]], clusters: Clusters | None = None) -> Sample:
    """Returns the sample of (seed, quality, outcomes as a record holds them; None if unknown) of each run."""
    runs = list(runs)
    outcomes = {seed: values for seed, _, values in runs if values is not None}
    total = _sum(list(outcomes.values()), clusters)
    return Sample({seed: quality for seed, quality, _ in runs}, outcomes, total, clusters)


def _sum(outcomes: Sequence[str | list[float]], clusters: Clusters | None) -> np.ndarray | None:
    """Sums outcomes over seeds, [seeds, examples] → [examples], or [clusters]; None if there are no seeds."""
    if not outcomes:
        return None
    texts = [values for values in outcomes if isinstance(values, str)]
    if texts:
        right = (np.frombuffer(values.encode(), np.uint8) & 1 for values in texts)  # "0" is 48, "1" is 49
        total = functools.reduce(np.add, right, np.zeros(len(texts[0]), np.int16))
    else:
        total = np.sum(np.asarray(outcomes, float), axis=0)
    if clusters is None:
        return total
    return np.bincount(clusters.of, total, len(clusters.sizes)).astype(np.int64 if texts else float)


def pair(a: Sample, b: Sample) -> Pair | None:
    """Returns a - b; None if they share no seed, or only one, and its outcomes are not known."""
    seeds = sorted(a.quality.keys() & b.quality.keys())
    differences = [a.quality[seed] - b.quality[seed] for seed in seeds]
    if 0 < len(seeds) < ENOUGH and all(seed in a.outcomes and seed in b.outcomes for seed in seeds):
        ours, theirs = _total(a, seeds), _total(b, seeds)
        units = None if ours is None or theirs is None else ours - theirs
        return Pair(differences, units, a.clusters and a.clusters.sizes)
    return Pair(differences, None) if len(seeds) > 1 else None


def _total(entry: Sample, seeds: Sequence[int]) -> np.ndarray | None:
    if len(seeds) == len(entry.outcomes):
        return entry.total
    return _sum([entry.outcomes[seed] for seed in seeds], entry.clusters)


def p_value(pair: Pair) -> float:
    """Returns the two-sided p of the test that the outcomes call for."""
    units, sizes = pair.units, pair.sizes
    if units is None:
        return paired_t(summarize(pair.seeds))
    if _right_or_wrong(units):
        if sizes is not None:
            return randomization_test(units)
        return sign_test(int((units > 0).sum()), int((units < 0).sum()))
    error = standard_error(units, sizes)
    if sizes is not None:
        return t_tail(float(units.sum() / sizes.sum()), error, len(units))
    return normal_tail(float(units.mean()), error, len(units))


def _right_or_wrong(units):
    return np.issubdtype(units.dtype, np.integer)


def findings(pairs: Sequence[tuple[Sample, Sample]]) -> list[Finding | None]:
    """Compares each (a, b) as a - b; None where they cannot be paired. All have the same examples and clusters."""
    found = []
    for first in range(0, len(pairs), BATCH):
        found += _batch([pair(a, b) for a, b in pairs[first : first + BATCH]])
    return found


def _batch(pairs):
    losses = [i for i, p in enumerate(pairs) if p and p.units is not None and not _right_or_wrong(p.units)]
    means = [pairs[i].units / len(pairs[i].seeds) for i in losses]
    found = bootstrap_intervals(np.stack(means), pairs[losses[0]].sizes).tolist() if losses else []
    intervals = dict(zip(losses, found, strict=True))
    return [p and _finding(p, intervals.get(i)) for i, p in enumerate(pairs)]


def _finding(pair: Pair, interval: Sequence[float] | None) -> Finding:
    difference, p = mean(pair.seeds), p_value(pair)
    if pair.units is None:
        found = summarize(pair.seeds)
        return Finding(difference, found.low, found.high, p, STUDENT)
    if interval:
        test = BOOTSTRAP if pair.sizes is None else CLUSTERED
    else:
        test = MCNEMAR if pair.sizes is None else SWAPS
        half = _half(pair)
        interval = difference - half, difference + half
    low, high = interval if len(pair.units) > 1 else (None, None)
    return Finding(difference, low, high, p, test)


def _half(pair: Pair) -> float:
    """Half the width of the interval of a difference in what is right or wrong."""
    assert pair.units is not None
    units = len(pair.units)
    if units < 2:
        return 0.0
    times = 1.96 if pair.sizes is None else quantile(units - 1)
    return times * standard_error(pair.units, pair.sizes) / len(pair.seeds)
