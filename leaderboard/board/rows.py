"""A row of the board: one point of a curve, its seeds aggregated."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from leaderboard.board.display import MISSING, number
from leaderboard.record.layout import strength_text
from leaderboard.record.schema import Dense, Latency, MethodInfo, Point, Record, Result, Tuning
from leaderboard.stats.paired import Clusters, Finding, Sample, clusters, level, sample
from leaderboard.stats.summary import Summary, mean

REFERENCES = ("dense", "finetuned")
"""The methods that others are held against: nets with as much training, uncompressed."""
BUSY = 1.5
"""A dense net that took so many times its least on the curve was timed while the machine did other work."""


class Timing(NamedTuple):
    """Medians over seeds: what else a machine does makes some of its times far too long, none too short."""

    batch: int
    median_ms: float
    speedup: float  # dense time over the artifact's, median over paired rounds
    low: float | None  # quartiles of the same; None of protocol 1
    high: float | None


class Timings(NamedTuple):
    """The two batch sizes that are timed."""

    one: Timing  # at batch 1
    batch: Timing  # at the task's batch


class Figures(NamedTuple):
    """Means over the seeds that finished."""

    quality: Summary
    valid: float  # quality on valid, for choosing
    dense: float  # of the dense nets of the same seeds
    bytes: float
    payload: float | None  # bytes that are values; None of protocol 1, as of the next two
    weight_bits: float | None  # stored bits of a weight
    memory: float | None  # bytes
    ratio: float  # dense bytes / bytes
    macs: float
    effective_macs: float
    bops: float
    latency: Timings
    execution: str
    seconds: float  # with all of the tuning, which the curve needed once
    steps: float  # with those of the tuning
    tuning_steps: float
    teacher_forwards: float


class Comparison(NamedTuple):
    """This row minus another in quality, paired by seed and by test example."""

    other: "Row | None"  # as it is by itself; None where it is the dense nets
    found: Finding  # interval and p of this comparison alone
    corrected: float  # p after Holm's correction over all comparisons of the record

    @property
    def against(self) -> str:
        """Returns method and strength of the other."""
        return "dense" if self.other is None else name(self.other)


class Place(NamedTuple):
    """Where the methods' choices under a budget stand, one of which this row is."""

    budget: int  # bytes
    rank: tuple[int, int]  # from, to; 1 is the best


class Row(NamedTuple):
    """One point of a curve; `comparisons` and `places` are what the other rows of its table make of it."""

    record: Record
    label: str  # the method, with the record's digest where the table holds several of its configurations
    point: Point
    strength: str  # "8", "0.5+8" of a chain, "" without a knob
    devices: list[str]  # of its runs
    figures: Figures | None  # None where no seed finished
    finished: int  # seeds
    asked: int  # seeds, without those that were skipped
    remarks: list[str]  # failures, skips and fallbacks, each with its seed; timing on a busy machine
    comparisons: dict[str, Comparison]  # "dense", "reference" and "control", where there is such another row
    uncontrolled: bool  # whether its control has rows, but none that is as small
    places: list[Place]  # under each budget at which it is what its method offers

    @property
    def whole(self) -> bool:
        """Whether every seed finished: those that survive are no fair sample of all."""
        return self.finished == self.asked > 0

    @property
    def missing(self) -> str:
        """Returns what stands in place of a quality: "failed", or "skipped" where no seed was to run."""
        return "failed" if self.asked else "skipped"


def rows_of(record: Record) -> list[Row]:
    """Returns the points of a record as rows by themselves: without comparisons and ranks."""
    units = clusters(record.task.clusters)
    return [_row(record, point, units) for point in record.points]


def sample_of(point: Point, units: Clusters | None) -> Sample:
    """Returns what the seeds of a point that finished did. `units`: which test examples depend on each other."""
    done = [(run.seed, run.result.quality, run.result.outcomes) for run in point.runs if run.result is not None]
    return sample(done, units)


def _row(record: Record, point: Point, units: Clusters | None) -> Row:
    dense = {net.seed: net for net in record.dense}
    done = [(dense[run.seed], run.result) for run in point.runs if run.result is not None]
    return Row(
        record=record,
        label=record.method.name,
        point=point,
        strength=strength_text(point.strength),
        devices=devices(record, [point]),
        figures=_figures(done, level(sample_of(point, units)), record.tuning) if done else None,
        finished=len(done),
        asked=sum(run.skipped is None for run in point.runs),
        remarks=[text for run in point.runs for text in _remarks(run)] + _busy(record, point),
        comparisons={},
        uncontrolled=False,
        places=[],
    )


def devices(record: Record, points: Sequence[Point]) -> list[str]:
    """Returns the names of the devices that made the runs of `points`, sorted."""
    return sorted({record.provenance[run.provenance].device for point in points for run in point.runs})


def commits(record: Record) -> list[str]:
    """Returns the commits that made the nets and runs of a record, sorted; usually there is one."""
    return sorted({made.commit for made in record.provenance.values()})


def strength(row: Row) -> str:
    """Returns "bits 4", or MISSING for a method without a knob."""
    knobs = row.record.method.knobs
    return f"{', '.join(knobs)} {row.strength}" if knobs else MISSING


def name(row: Row) -> str:
    """Returns "rtn, bits 4"."""
    return f"{row.label}, {strength(row)}" if row.record.method.knobs else row.label


def against_reference(row: Row) -> float | None:
    """Returns the difference in quality to the net of equal training; None where that did not run on these seeds."""
    if row.figures is not None and row.record.method.reference == "dense" != row.record.method.name:
        return row.figures.quality.mean - row.figures.dense
    found = row.comparisons.get("reference")
    return found.found.difference if found else None


def full_label(method: MethodInfo) -> str:
    """Returns "rtn (0a1b2c3d)", which tells two configurations of a method apart."""
    return f"{method.name} ({method.digest})"


def _remarks(run):
    if run.skipped is not None:
        return [f"seed {run.seed} skipped: {run.skipped}"]
    if run.result is None:
        return [f"seed {run.seed} failed: {run.failure}"]
    return [f"seed {run.seed}: {note}" for note in run.result.notes]


def _busy(record, point):
    """Of each batch size, if the dense net, which is timed beside every artifact, took BUSY times its least."""
    found = []
    for name in Timings._fields:
        here, everywhere = _timed([point], name), _timed(record.points, name)
        if not here:
            continue
        took, least = median(t.dense_median_ms for t in here), min(t.dense_median_ms for t in everywhere)
        if took > BUSY * least:
            ours, best = number(took), number(least)
            found.append(f"batch {here[0].batch} timed on a busy machine: dense took {ours} ms, elsewhere {best} ms")
    return found


def _timed(points: Sequence[Point], name: str) -> list[Latency]:
    return [getattr(run.result.latency, name) for point in points for run in point.runs if run.result is not None]


def _figures(done: list[tuple[Dense, Result]], quality: Summary, tuning: Tuning | None) -> Figures:
    nets, results = zip(*done, strict=True)

    def average(field):
        return mean([getattr(result, field) for result in results])

    def known(field):
        return None if any(getattr(result, field) is None for result in results) else average(field)

    def cost(field):
        return mean([getattr(result.cost, field) for result in results])

    return Figures(
        quality=quality,
        valid=average("valid_quality"),
        dense=mean([net.quality for net in nets]),
        bytes=average("bytes"),
        payload=known("payload"),
        weight_bits=known("weight_bits"),
        memory=known("memory_bytes"),
        ratio=mean([net.bytes for net in nets]) / average("bytes"),
        macs=average("macs"),
        effective_macs=average("effective_macs"),
        bops=average("bops"),
        latency=Timings(**{name: _timing([getattr(r.latency, name) for r in results]) for name in Timings._fields}),
        execution="/".join(sorted({result.execution for result in results})),
        seconds=cost("seconds") + (tuning.seconds if tuning else 0),
        steps=cost("steps") + (tuning.steps if tuning else 0),
        tuning_steps=tuning.steps if tuning else 0,
        teacher_forwards=cost("teacher_forwards"),
    )


def _timing(timed: list[Latency]) -> Timing:
    own, speedup = median(t.median_ms for t in timed), median(t.gain() for t in timed)
    known = [t.speedup for t in timed if t.speedup is not None]
    whole = len(known) == len(timed)
    low, high = (median(getattr(q, end) for q in known) if whole else None for end in ("low", "high"))
    return Timing(timed[0].batch, own, speedup, low, high)
