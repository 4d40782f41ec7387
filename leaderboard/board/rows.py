"""A row of the board: one point of a curve, its seeds aggregated."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from leaderboard.board.display import MISSING, number
from leaderboard.record.layout import strength_text
from leaderboard.record.schema import Dense, Latency, MethodInfo, Point, Record, Result, Tuning
from leaderboard.stats.summary import Summary, mean, summarize

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
    dense: Summary  # of the dense nets of the same seeds
    difference: Summary  # quality - dense, paired by seed
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
    difference: float
    low: float | None  # 95 % interval, of this comparison alone; None of a single example or cluster
    high: float | None
    p: float  # after Holm's correction over all comparisons of the table
    test: str

    @property
    def against(self) -> str:
        """Returns method and strength of the other."""
        return "dense" if self.other is None else name(self.other)


class Row(NamedTuple):
    """One point of a curve; `comparisons`, `rank` and `tie` are what the other rows of its table make of it."""

    record: Record
    label: str  # the method, with the record's digest where the table holds several of its configurations
    point: Point
    strength: str  # "8", "0.5+8" of a chain, "" without a knob
    devices: list[str]  # of its runs
    figures: Figures | None  # None where no seed finished
    finished: int  # seeds
    asked: int  # seeds, without those that were skipped
    remarks: list[str]  # failures, skips and fallbacks, each with its seed; timing on a busy machine
    comparisons: dict[str, Comparison]  # "dense", "reference", "control" and "best", where there is such another row
    uncontrolled: bool  # whether its control has rows, but none that is as small
    rank: tuple[int, int] | None  # from, to; by quality, 1 is the best; None where no seed finished
    tie: int | None  # group of rows that cannot be told apart, numbered from the best

    @property
    def whole(self) -> bool:
        """Whether every seed finished: those that survive are no fair sample of all."""
        return self.finished == self.asked > 0

    @property
    def missing(self) -> str:
        """Returns what stands in place of a quality: "failed", or "skipped" where no seed was to run."""
        return "failed" if self.asked else "skipped"


def row_of(record: Record, point: Point) -> Row:
    """Returns a point as a row by itself: without comparisons and rank."""
    dense = {net.seed: net for net in record.dense}
    done = [(dense[run.seed], run.result) for run in point.runs if run.result is not None]
    return Row(
        record=record,
        label=record.method.name,
        point=point,
        strength=strength_text(point.strength),
        devices=devices(record, [point]),
        figures=_figures(done, record.tuning) if done else None,
        finished=len(done),
        asked=sum(run.skipped is None for run in point.runs),
        remarks=[text for run in point.runs for text in _remarks(run)] + _busy(record, point),
        comparisons={},
        uncontrolled=False,
        rank=None,
        tie=None,
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
        return row.figures.difference.mean
    found = row.comparisons.get("reference")
    return found.difference if found else None


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


def _figures(done: list[tuple[Dense, Result]], tuning: Tuning | None) -> Figures:
    nets, results = zip(*done, strict=True)

    def average(field):
        return mean([getattr(result, field) for result in results])

    def known(field):
        return None if any(getattr(result, field) is None for result in results) else average(field)

    def cost(field):
        return mean([getattr(result.cost, field) for result in results])

    return Figures(
        quality=summarize([result.quality for result in results]),
        valid=average("valid_quality"),
        dense=summarize([net.quality for net in nets]),
        difference=summarize([result.quality - net.quality for net, result in done]),
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
