"""One number for a curve: how much quality it keeps, over all budgets of bytes or of latency.

Of one seed, with b the artifact's cost over that of the dense net it started from (bytes, or median latency at the
task's batch, timed in turn with it) and R = 64 for bytes, 8 for latency:

    score = 1 / ln R · ∫ u(c(b)) d ln b  for b from 1/R to 1,   u(q) = (q - z) / (q_dense - z), held within 0 and 1

c(b) is what a user with budget b would pick: of the curve's artifacts that cost at most b, the one that is best on
*valid*; u is then its quality on *test*, so that no luck on test is picked. Where nothing fits, u = 0. z, the task's
`reference`, is the quality of an answer that ignores its input: 1 / classes, the entropy of tokens by their frequency
in train, or word errors of an empty transcript.
So dense as it is scores 0; dense quality at 1/R of the cost scores 1. Quality above dense counts as dense: a score
says what compressing costs. Nothing but the record, its dense nets and z enters, so that an entry never moves the
score of another. Only what was timed *deployed* counts as latency: simulated artifacts do not run at that speed.
"""

import math
from typing import NamedTuple

from leaderboard.record.schema import Record
from leaderboard.stats.summary import mean, summarize

RANGE = {"bytes": 64, "latency": 8}
"""R of each axis."""


class Score(NamedTuple):
    """Mean over the seeds that ran at every strength, and its 95 % interval, which is None for one seed.

    All are None, and there are no `seeds`, where there is no score: no deployed artifact, or no seed that ran at every
    strength.
    """

    method: str
    digest: str
    axis: str  # "bytes" or "latency"
    value: float | None
    low: float | None
    high: float | None
    seeds: tuple[float, ...]
    valid: float | None  # the same with quality on valid: for choosing among configurations


def scores(record: Record) -> list[Score]:
    """Returns the score of a record on each axis."""
    return [_score(record, axis) for axis in RANGE]


def _score(record, axis):
    pairs = by_seed(record, axis)
    if not pairs:
        return Score(record.method.name, record.method.digest, axis, None, None, None, (), None)
    test, valid = zip(*pairs, strict=True)
    found = summarize(test)
    return Score(record.method.name, record.method.digest, axis, found.mean, found.low, found.high, test, mean(valid))


def by_seed(record: Record, axis: str) -> list[tuple[float, float]]:
    """Returns (score with quality on test, score on valid) of each seed that ran at every strength."""
    zero = record.task.reference
    curves = {net.seed: [] for net in record.dense}
    for point in record.points:
        for run in point.runs:
            curves[run.seed].append(run.result)
    whole = [net for net in record.dense if len(curves[net.seed]) == len(record.points)]
    done = [result for net in whole for result in curves[net.seed] if result is not None]
    if not any(_costs(axis, result) for result in done):
        return []
    sign = 1 if record.task.higher_is_better else -1
    return [_area(_curve(curves[net.seed], net, axis, sign, zero), RANGE[axis]) for net in whole]


def _costs(axis, result):
    return axis == "bytes" or result.execution == "deployed"


def _curve(results, dense, axis, sign, zero):
    """(relative cost, quality on valid, utility on test, utility on valid) of each artifact; better is higher."""
    whole = sign * (dense.quality - zero)

    def utility(quality):
        return min(max(sign * (quality - zero) / whole, 0.0), 1.0) if whole > 0 else 0.0

    return [
        (_cost(axis, r, dense), sign * r.valid_quality, utility(r.quality), utility(r.valid_quality))
        for r in results
        if r is not None and _costs(axis, r)
    ]


def _cost(axis, result, dense):
    timing = result.latency.batch
    return result.bytes / dense.bytes if axis == "bytes" else timing.median_ms / timing.dense_median_ms


def _area(curve, span):
    """The integral, with quality on test and on valid: each artifact counts from its cost to that of the next one."""
    curve = sorted(curve, key=lambda point: (point[0], -point[1]))
    costs = [min(max(point[0], 1 / span), 1.0) for point in curve]
    ends = costs[1:] + [1.0] * bool(curve)
    test, valid, picked = 0.0, 0.0, None
    for point, cost, end in zip(curve, costs, ends, strict=True):
        picked = point if picked is None or point[1] > picked[1] else picked
        share = math.log(end / cost) / math.log(span)
        test, valid = test + share * picked[2], valid + share * picked[3]
    return test, valid
