"""A row of the board: one point of a curve, its seeds aggregated."""

from statistics import fmean, geometric_mean
from typing import NamedTuple

from leaderboard.record import Dense, Point, Record, Result
from leaderboard.statistics import Summary, summarize


class Timing(NamedTuple):
    batch: int
    median_ms: float  # mean over seeds of the medians
    speedup: float  # of the dense net's median over the artifact's, geometric mean over seeds


class Figures(NamedTuple):
    """Means over the seeds that finished."""

    quality: Summary
    dense: Summary  # of the dense nets of the same seeds
    difference: Summary  # quality - dense, paired by seed
    bytes: float
    ratio: float  # dense bytes / bytes
    macs: float
    effective_macs: float
    bops: float
    latency: tuple[Timing, Timing]  # at batch 1 and at the task's batch
    execution: str
    seconds: float
    steps: float
    teacher_forwards: float


class Row(NamedTuple):
    record: Record
    strength: str  # "8", and "0.5+8" of a chain
    figures: Figures | None  # None where every seed failed
    finished: int  # seeds
    asked: int
    remarks: list[str]  # failures and fallbacks, each with its seed


def row_of(record: Record, point: Point) -> Row:
    dense = {net.seed: net for net in record.dense}
    done = [(dense[run.seed], run.result) for run in point.runs if run.result is not None]
    return Row(
        record=record,
        strength=strength_text(point.strength),
        figures=_figures(done) if done else None,
        finished=len(done),
        asked=len(point.runs),
        remarks=[text for run in point.runs for text in _remarks(run)],
    )


def strength_text(strength: float | list[float]) -> str:
    return "+".join(f"{part:g}" for part in (strength if isinstance(strength, list) else [strength]))


def _remarks(run):
    if run.result is None:
        return [f"seed {run.seed} failed: {run.failure}"]
    return [f"seed {run.seed}: {note}" for note in run.result.notes]


def _figures(done: list[tuple[Dense, Result]]) -> Figures:
    nets, results = zip(*done, strict=True)

    def mean(field):
        return fmean(getattr(result, field) for result in results)

    return Figures(
        quality=summarize([result.quality for result in results]),
        dense=summarize([net.quality for net in nets]),
        difference=summarize([result.quality - net.quality for net, result in done]),
        bytes=mean("bytes"),
        ratio=fmean(net.bytes for net in nets) / mean("bytes"),
        macs=mean("macs"),
        effective_macs=mean("effective_macs"),
        bops=mean("bops"),
        latency=(_timing(results, 0), _timing(results, 1)),
        execution="/".join(sorted({result.execution for result in results})),
        seconds=fmean(result.cost.seconds for result in results),
        steps=fmean(result.cost.steps for result in results),
        teacher_forwards=fmean(result.cost.teacher_forwards for result in results),
    )


def _timing(results, which):
    timed = [result.latency[which] for result in results]
    speedup = geometric_mean(t.dense_median_ms / t.median_ms for t in timed)
    return Timing(timed[0].batch, fmean(t.median_ms for t in timed), speedup)
