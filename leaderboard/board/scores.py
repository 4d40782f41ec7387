"""One number for a curve: how much quality it keeps, over all budgets of bytes or of latency.

Of one seed, over budgets B from low to high,

    score = 1 / ln(high / low) · ∫ u(c(B)) d ln B,   u(q) = (q - z) / (q_dense - z), held within 0 and 1

Over bytes, low and high are the task's `window`. Over latency, B is a share of the dense net's time at the task's
batch, taken in turn with the artifact's, from 1/8 to 1. c(B) is what a user with budget B would pick: of the curve's
artifacts that cost at most B, the one that is best on *valid*; u is then its quality on *test*, so that no luck on test
is picked. Where nothing fits, u = 0. z, the task's `reference`, is the quality of an answer that ignores its input:
1 / classes, the entropy of tokens by their frequency in train, or word errors of an empty transcript.
So dense quality at every budget of the window scores 1. Quality above dense counts as dense: a score says what
compressing costs. Nothing but the record, its dense nets, the window and z enters, so that an entry never moves the
score of another. Only what was timed *deployed* counts as latency: simulated artifacts do not run at that speed.

A curve has a score if it has FEWEST sizes and, over bytes, covers the window: one of its sizes is at most low, one at
least high. Sizes are means over seeds. Any other curve is *partial*: a score of it would say how far its strengths go,
not how good it is. It is a row under every budget that it meets, and no score.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from leaderboard.record.schema import Record
from leaderboard.stats.summary import mean, summarize

AXES = ("bytes", "latency")
FEWEST = 5
"""Different sizes of a curve that has a score."""
FASTEST = 1 / 8
"""Of the dense net's latency: where its window begins."""


class Score(NamedTuple):
    """Mean over the seeds that ran at every strength, and its 95 % interval: None for one seed, and of equal scores.

    All are None, and there are no `seeds`, where there is no score: the curve is partial, the task has no window, no
    artifact is deployed, or no seed ran at every strength.
    """

    method: str
    digest: str
    axis: str  # of AXES
    value: float | None = None
    low: float | None = None
    high: float | None = None
    seeds: Mapping[int, float] = MappingProxyType({})
    valid: float | None = None  # the same with quality on valid: for choosing among configurations
    partial: bool = False  # whether it is a curve, and too short or too few sizes


def scores(record: Record) -> list[Score]:
    """Returns the score of a record on each axis."""
    return [_score(record, axis) for axis in AXES]


def _score(record, axis):
    name = record.method.name, record.method.digest, axis
    if record.task.window is None or not (sizes := _sizes(record, axis)):
        return Score(*name)
    low, high = record.task.window
    covered = axis == "latency" or (min(sizes) <= low and max(sizes) >= high)
    if len(sizes) < FEWEST or not covered:
        return Score(*name, partial=bool(record.method.knobs))
    found = by_seed(record, axis)
    if not found:
        return Score(*name)
    test, valid = ({seed: pair[i] for seed, pair in found.items()} for i in (0, 1))
    value = summarize(list(test.values()), (0.0, 1.0))
    return Score(*name, value.mean, value.low, value.high, test, mean(list(valid.values())))


def _sizes(record, axis) -> set[float]:
    """The bytes of each strength, means over its seeds."""
    points = [[run.result for run in point.runs if run.result is not None] for point in record.points]
    counted = [[result for result in done if _costs(axis, result)] for done in points]
    return {mean([result.bytes for result in done]) for done in counted if done}


def by_seed(record: Record, axis: str) -> dict[int, tuple[float, float]]:
    """Returns {seed: (score with quality on test, score on valid)} of the seeds that ran at every strength.

    Args:
        record: of a task with a window.
        axis: of AXES.
    """
    assert record.task.window is not None
    window = tuple(record.task.window) if axis == "bytes" else (FASTEST, 1.0)
    curves = {net.seed: [] for net in record.dense}
    for point in record.points:
        for run in point.runs:
            curves[run.seed].append(run.result)
    whole = [net for net in record.dense if len(curves[net.seed]) == len(record.points)]
    return {net.seed: _area(_curve(curves[net.seed], net, axis, record.task), *window) for net in whole}


def _costs(axis, result):
    return axis == "bytes" or result.execution == "deployed"


def _curve(results, dense, axis, task):
    """(cost, quality on valid, utility on test, utility on valid) of each artifact; better is higher."""
    sign = 1 if task.higher_is_better else -1
    whole = sign * (dense.quality - task.reference)

    def utility(quality):
        return min(max(sign * (quality - task.reference) / whole, 0.0), 1.0) if whole > 0 else 0.0

    return [
        (_cost(axis, r), sign * r.valid_quality, utility(r.quality), utility(r.valid_quality))
        for r in results
        if r is not None and _costs(axis, r)
    ]


def _cost(axis, result):
    return result.bytes if axis == "bytes" else 1 / result.latency.batch.gain()


def _area(curve, low, high):
    """The integral, with quality on test and on valid: each artifact counts from its cost to that of the next one."""
    curve = sorted(curve, key=lambda point: (point[0], -point[1]))
    costs = [min(max(point[0], low), high) for point in curve]
    ends = costs[1:] + [high] * bool(curve)
    test, valid, picked = 0.0, 0.0, None
    for point, cost, end in zip(curve, costs, ends, strict=True):
        picked = point if picked is None or point[1] > picked[1] else picked
        share = math.log(end / cost) / math.log(high / low)
        test, valid = test + share * picked[2], valid + share * picked[3]
    return test, valid
