"""What no measurement can say, or none has yet: bounds across the fields of a record."""

import math
import statistics
from collections.abc import Iterator

from leaderboard.record.canonical import digits
from leaderboard.record.layout import strength_text
from leaderboard.record.schema import MOST_ERROR, Dense, Latency, Record, Result, TaskInfo

MOST_RATIO, MOST_GAIN, MOST_BITS = 10_000, 1_000, 64
"""Dense bytes over bytes; speed-up, or slow-down; stored bits of a weight or of an activation."""
APART = 100
"""How far the ratio of two medians may be from the median of the ratios."""
LOSS_SHARE = 0.02

Problems = Iterator[tuple[str, str]]


def problems(record: Record) -> Problems:
    """Yields (what is wrong, field) for each; types, outcomes and seeds are right already."""
    if record.method.control == record.method.name:
        yield "a method is no control of itself", "$.method.control"
    for i, net in enumerate(record.dense):
        yield from _quality(record.task, net.quality, f"$.dense[{i}].quality")
    nets = {net.seed: net for net in record.dense}
    for i, point in enumerate(record.points):
        for j, run in enumerate(point.runs):
            if run.result is not None and run.seed in nets:
                yield from _result(record.task, run.result, nets[run.seed], f"$.points[{i}].runs[{j}].result")
    yield from _verified(record)


def tolerance(task: TaskInfo, result: Result) -> float:
    """Returns how far the quality of a run made again may be off: 2 σ / √N, at least 2 / N; 2 % of a mean loss.

    N are the recorded outcomes. Of those that are right or wrong, σ / √N = √(q (1 - q) / N): the standard error of a
    binomial share.
    """
    if task.outcome == "loss":
        return digits(LOSS_SHARE * abs(result.quality))
    outcomes = [float(outcome) for outcome in result.outcomes]
    return digits(2 * max(statistics.pstdev(outcomes) / math.sqrt(len(outcomes)), 1 / len(outcomes)))


def _quality(task: TaskInfo, value: float, field: str) -> Problems:
    if (task.outcome != "loss" and value < 0) or (task.outcome == "correct" and value > 1):
        wanted = "within 0 and 1" if task.outcome == "correct" else "0 or more"
        yield f"is {value:g}; a mean of outcomes of kind {task.outcome!r} is {wanted}", field


def _result(task: TaskInfo, result: Result, net: Dense, field: str) -> Problems:
    yield from _quality(task, result.valid_quality, f"{field}.valid_quality")
    for name in ("parameters", "macs"):
        if not getattr(result, name):
            yield "is 0; a net has some", f"{field}.{name}"
    yield from _at_most(result.effective_macs, result.macs, "`macs`", f"{field}.effective_macs")
    most = MOST_BITS**2 * result.effective_macs
    yield from _at_most(result.bops, most, f"{MOST_BITS} × {MOST_BITS} bits a MAC", f"{field}.bops")
    yield from _at_most(result.weight_bits or 0, MOST_BITS, "the bits of any number", f"{field}.weight_bits")
    yield from _at_most(result.output_error, MOST_ERROR, "what a run may show", f"{field}.output_error")
    if result.bytes * MOST_RATIO < net.bytes:
        yield f"is {result.bytes}, less than 1 / {MOST_RATIO} of the dense net's {net.bytes}", f"{field}.bytes"
    for name in ("one", "batch"):
        yield from _latency(getattr(result.latency, name), f"{field}.latency.{name}")


def _at_most(value: float, most: float, what: str, field: str) -> Problems:
    if value > most * (1 + 1e-6):  # as floats round
        yield f"is {value:g}, more than {most:g}, {what}", field


def _latency(latency: Latency, field: str) -> Problems:
    yield from _at_most(latency.median_ms, latency.p95_ms, "`p95_ms`", f"{field}.median_ms")
    gain, medians = latency.gain(), latency.dense_median_ms / latency.median_ms
    if not 1 / MOST_GAIN <= gain <= MOST_GAIN:
        yield f"{gain:g} times as fast as dense is beyond {MOST_GAIN}, either way", field
    elif not 1 / APART <= medians / gain <= APART:
        yield f"the median is {gain:g}, but that of dense over that of this is {medians:g}", f"{field}.speedup"


def _verified(record: Record) -> Problems:
    runs = {(strength_text(point.strength), run.seed): run.result for point in record.points for run in point.runs}
    for i, found in enumerate(record.verified):
        result = runs.get((strength_text(found.strength), found.seed))
        if result is None:
            yield "there is no finished run of this strength and seed", f"$.verified[{i}]"
            continue
        most = tolerance(record.task, result)
        yield from _at_most(found.tolerance, most, "that of its outcomes", f"$.verified[{i}].tolerance")
        if abs(found.quality - result.quality) > found.tolerance:
            said = f"quality {found.quality:g} is not within {found.tolerance:g} of {result.quality:g}"
            yield said, f"$.verified[{i}]"
