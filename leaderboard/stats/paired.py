"""Paired comparison of two entries on the same seeds and test examples.

With fewer than ENOUGH seeds the test is over examples, as a t over three seeds sees little short of a disaster. Its
p is about *these nets* on new examples, and says nothing about nets of new seeds. Examples are the units: seeds are
averaged within each example first, as the same example under three seeds is no three independent ones.
- Right or wrong: of the examples that one side gets right under more seeds than the other, an exact sign test asks
  whether they favour one side. With one seed that is McNemar's exact test.
- Losses and edits: a paired bootstrap over examples. Its interval holds 95 % of 1,000 resampled means. Its p is the
  tail of a normal with the bootstrap's standard error, √Σ(d - d̄)² / N (Efron & Tibshirani 1993, §5.3): counting
  resamples cannot show a p below 1/1,000, and Holm's correction over a table needs smaller ones.
With ENOUGH seeds, or where the other side's outcomes are not known, it is a paired t over seeds: about nets of new
seeds, on these examples.
"""

import functools
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from leaderboard.stats.significance import bootstrap_intervals, normal_tail, paired_t, sign_test
from leaderboard.stats.summary import ENOUGH, mean, summarize

MCNEMAR, BOOTSTRAP, STUDENT = "exact McNemar over examples", "paired bootstrap over examples", "paired t over seeds"
BATCH = 512  # pairs whose examples are in memory at once


class Sample(NamedTuple):
    """Qualities and outcomes of one entry."""

    quality: dict[int, float]  # by seed
    outcomes: dict[int, str | list[float]]  # by seed, as a record holds them
    total: np.ndarray | None  # of each test example, summed over seeds; int16 where it is right or wrong


class Pair(NamedTuple):
    """One entry minus another, over the seeds of both."""

    seeds: list[float]  # differences in quality
    examples: np.ndarray | None  # differences in outcome, summed over seeds; None where the test is over seeds


class Finding(NamedTuple):
    """A difference in quality, its 95 % interval, and the p of "there is none"."""

    difference: float
    low: float
    high: float
    p: float
    test: str


def sample(runs: Iterable[tuple[int, float, str | list[float] | None]]) -> Sample:
    """Returns the sample of (seed, quality, outcomes as a record holds them; None if unknown) of each run."""
    runs = list(runs)
    outcomes = {seed: values for seed, _, values in runs if values is not None}
    return Sample({seed: quality for seed, quality, _ in runs}, outcomes, _sum(list(outcomes.values())))


def _sum(outcomes: Sequence[str | list[float]]) -> np.ndarray | None:
    """Sums outcomes over seeds, [seeds, examples] → [examples]; None if there are no seeds."""
    if not outcomes:
        return None
    texts = [values for values in outcomes if isinstance(values, str)]
    if texts:
        right = (np.frombuffer(values.encode(), np.uint8) & 1 for values in texts)  # "0" is 48, "1" is 49
        return functools.reduce(np.add, right, np.zeros(len(texts[0]), np.int16))
    return np.sum(np.asarray(outcomes, float), axis=0)


def pair(a: Sample, b: Sample) -> Pair | None:
    """Returns a - b; None if they share no seed, or only one, and its outcomes are not known."""
    seeds = sorted(a.quality.keys() & b.quality.keys())
    differences = [a.quality[seed] - b.quality[seed] for seed in seeds]
    if 0 < len(seeds) < ENOUGH and all(seed in a.outcomes and seed in b.outcomes for seed in seeds):
        ours, theirs = _total(a, seeds), _total(b, seeds)
        return Pair(differences, None if ours is None or theirs is None else ours - theirs)
    return Pair(differences, None) if len(seeds) > 1 else None


def _total(entry: Sample, seeds: Sequence[int]) -> np.ndarray | None:
    if len(seeds) == len(entry.outcomes):
        return entry.total
    return _sum([entry.outcomes[seed] for seed in seeds])


def p_value(pair: Pair) -> float:
    """Returns the two-sided p of the test that the outcomes call for."""
    if pair.examples is None:
        return paired_t(summarize(pair.seeds))
    if _right_or_wrong(pair.examples):
        return sign_test(int((pair.examples > 0).sum()), int((pair.examples < 0).sum()))
    return normal_tail(float(pair.examples.mean()), _error(pair.examples), len(pair.examples))


def _right_or_wrong(examples):
    return examples.dtype == np.int16


def findings(pairs: Sequence[tuple[Sample, Sample]]) -> list[Finding | None]:
    """Compares each (a, b) as a - b; None where they cannot be paired."""
    found = []
    for first in range(0, len(pairs), BATCH):
        found += _batch([pair(a, b) for a, b in pairs[first : first + BATCH]])
    return found


def _batch(pairs):
    losses = [i for i, p in enumerate(pairs) if p and p.examples is not None and not _right_or_wrong(p.examples)]
    means = [pairs[i].examples / len(pairs[i].seeds) for i in losses]
    intervals = dict(zip(losses, bootstrap_intervals(np.stack(means)).tolist(), strict=True)) if losses else {}
    return [p and _finding(p, intervals.get(i)) for i, p in enumerate(pairs)]


def _finding(pair: Pair, interval: Sequence[float] | None) -> Finding:
    difference, p = mean(pair.seeds), p_value(pair)
    if pair.examples is None:
        found = summarize(pair.seeds)
        assert found.low is not None, "a pair without examples has at least two seeds"
        assert found.high is not None
        return Finding(difference, found.low, found.high, p, STUDENT)
    if interval:
        low, high = interval
        return Finding(difference, low, high, p, BOOTSTRAP)
    half = 1.96 * _error(pair.examples) / len(pair.seeds)
    return Finding(difference, difference - half, difference + half, p, MCNEMAR)


def _error(values):
    """Returns the bootstrap's standard error of the mean of `values` [N]: √Σ(v - v̄)² / N."""
    values = values.astype(np.float32 if _right_or_wrong(values) else float)  # float32 is exact on small integers
    values -= values.mean()
    return math.sqrt(float(values @ values)) / len(values)
