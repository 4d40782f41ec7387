"""What a record holds: names, types and bounds. Units are in the names.

A record is one curve, a method's configuration on a task, with all its strengths and seeds, and what made each.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

SCHEMA = 4
PROTOCOL = 2
"""The newest protocol. Records of an older one are kept apart: what they measured is something else."""
GREATEST_INT = 2**53 - 1
"""The largest integer up to which every reader of JSON, a browser too, holds all of them (RFC 8259 §6)."""
GREATEST_FLOAT = 1e100
"""float32, in which nets compute, ends at 3.4e38; and squares and ratios of what is smaller are finite."""
MOST_ERROR = 1e-4
"""Largest `output_error` that a run may show: what is simulated is what ships."""

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+@-]*\Z", max_length=100)]  # fit for a file name
Hex = Annotated[str, Meta(pattern=r"^[0-9a-f]+\Z", max_length=64)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Label = Annotated[str, Meta(max_length=100)]  # fit for a cell
Text = Annotated[str, Meta(max_length=2000)]  # fit for a paragraph
FEW = Meta(max_length=200)
Count = Annotated[int, Meta(ge=0, le=GREATEST_INT)]
Size = Annotated[int, Meta(gt=0, le=GREATEST_INT)]
Amount = Annotated[float, Meta(ge=0, le=GREATEST_FLOAT)]
Duration = Annotated[float, Meta(ge=1e-6, le=GREATEST_FLOAT)]  # no clock shows less of a millisecond
Ratio = Annotated[float, Meta(ge=1e-6, le=GREATEST_FLOAT)]
Quality = Annotated[float, Meta(ge=-GREATEST_FLOAT, le=GREATEST_FLOAT)]
Share = Annotated[float, Meta(ge=0, le=1)]
Strength = Annotated[list[Quality], Meta(max_length=16)]  # one number per knob; [] without a knob


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """Not tracked by the garbage collector: records hold no cycles, and there may be a million of these."""


class TaskInfo(_Strict, frozen=True):
    """A task as it was run, and its data."""

    name: Name
    version: Size
    modality: Label
    source: Text
    fingerprint: Label  # hash of the decoded arrays
    rows: Annotated[dict[Label, Size], FEW]  # examples in each split
    metric: Label
    outcome: Literal["correct", "loss", "edits"]
    higher_is_better: bool
    eval_batch: Size
    reach: Quality  # what the dense net must reach on test
    reference: Quality  # quality of an answer that ignores its input: the zero of curve scores
    controls: Annotated[dict[Label, Quality], FEW]  # task-level baselines, e.g. a 3-gram model
    margin: Amount | None  # quality that may be lost and still be as good; None: of protocol 1
    window: Annotated[list[Size], Meta(min_length=2, max_length=2)] | None  # bytes, [low, high]: see scores.py
    clusters: list[Count] | None  # of each test example, whose outcomes depend on each other; None: independent

    def reaches(self, quality: float) -> bool:
        """Returns whether a dense net of this quality is as good as the task asks for."""
        return quality >= self.reach if self.higher_is_better else quality <= self.reach


class MethodInfo(_Strict, frozen=True):
    """A method: what the board groups and compares it by."""

    name: Name
    family: Label  # of techniques: "quantization"
    control: Name | None  # the method that this one must beat at equal size
    knobs: Annotated[list[Label], Meta(max_length=16)]  # names of the numbers of a strength
    digest: Hex  # of everything in `config` that changes a result; part of the file name
    budget: Literal["none", "recovery", "full"]  # which training it gets
    reference: Name  # the method of equal training, of no more than `budget` and nothing besides


class Provenance(_Strict, frozen=True):
    """What made a net or a run, and where."""

    command: Text
    commit: Label
    dirty: bool  # whether the tree differed from the commit
    outside: Annotated[list[Text], FEW]  # source files that ran and that the clone does not track
    libraries: Annotated[dict[Label, Label], FEW]
    device: Label  # platform, kind and count: "cpu AMD EPYC 7B13, 2 cores"
    settings: Annotated[dict[Label, Text], FEW] | None  # XLA_FLAGS, JAX's settings, number of devices; None: unknown


class Verification(_Strict, frozen=True):
    """One run made again from its record, and found to be what the record says."""

    seed: Count
    strength: Strength
    quality: Quality  # found
    tolerance: Amount  # |found - recorded| that was allowed
    device: Label
    commit: Label
    date: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}\Z")] | None = None  # UTC; None: it was not noted


class Quartiles(_Strict, frozen=True):
    """The middle of some values, and the ends of their middle half."""

    median: Ratio
    low: Ratio
    high: Ratio


class Latency(_Strict, frozen=True):
    """Times of one batch size, in turn with the dense net."""

    batch: Size
    median_ms: Duration
    p95_ms: Duration
    dense_median_ms: Duration  # the dense net, interleaved with it in the same run
    compile_s: Amount
    speedup: Quartiles | None  # dense time / own time, round by round; None: of protocol 1
    rounds: Size | None  # None: of protocol 1

    def gain(self) -> float:
        """Returns dense time / own time: the median over rounds; in protocol 1 the ratio of the medians."""
        return self.dense_median_ms / self.median_ms if self.speedup is None else self.speedup.median


class Latencies(_Strict, frozen=True):
    """Times at the two batch sizes."""

    one: Latency  # at batch 1
    batch: Latency  # at the task's batch


class Cost(_Strict, frozen=True):
    """What optimizing has cost, over all processes that it took."""

    seconds: Amount  # optimization: init, recovery, settle; compile apart; the sum over all starts
    compile_s: Amount
    cached: Count | None  # programs taken from the compilation cache instead of compiled; None: unknown
    starts: Size | None  # processes that it took; None: unknown
    steps: Count
    labelled_examples: Count
    calibration_examples: Count  # different ones
    teacher_forwards: Count  # examples
    calibration_drawn: Count | None  # examples × passes; None: of protocol 1


class Result(_Strict, frozen=True):
    """What one exported artifact is and does."""

    quality: Quality  # test, last step
    valid_quality: Quality
    outcomes: str | list[Quality]  # per test example; "0110…" where the outcome is right or wrong
    artifact: Sha256  # of the file
    bytes: Size
    parameters: Count
    density: Share  # share of the weights that multiply that is not pruned
    macs: Count  # per example
    effective_macs: Amount  # × density
    bops: Amount  # × density × weight bits × activation bits
    execution: Literal["simulated", "deployed"]
    latency: Latencies
    memory_bytes: Size | None  # weights as packed + largest set of live activations, task's batch; None: of protocol 1
    cost: Cost
    output_error: Amount  # |simulated - shipped| of outputs over value or typical value, worst element
    notes: Annotated[list[Text], FEW]  # fallbacks taken, if any
    payload: Size | None  # bytes of the file that are values, not their description; None: of protocol 1
    weight_bits: Amount | None  # mean stored bits of a weight that multiplies or is looked up; None: protocol 1
    compiled_memory_bytes: Size | None  # peak of the compiled program, task's batch; None: of simulated runs


class Run(_Strict, frozen=True):
    """A point at one seed: its result, or why there is none."""

    seed: Count
    dense: Label  # checkpoint it started from: hash of the dense weights
    identity: Hex | None  # digest of all that can change the bits of the run; None: unknown
    provenance: Hex  # key in the record's `provenance`
    result: Result | None  # exactly one of the three is not None
    failure: Text | None  # why the run failed
    skipped: Text | None  # why the method cannot run on this task


class Point(_Strict, frozen=True):
    """A curve at one strength."""

    strength: Strength
    runs: Annotated[list[Run], Meta(min_length=1, max_length=200)]


class Dense(_Strict, frozen=True):
    """The dense net of one seed, where runs start."""

    seed: Count
    checkpoint: Label
    quality: Quality
    bytes: Size
    identity: Hex | None  # digest of all that can change the bits of the net; None: unknown
    provenance: Hex  # key in the record's `provenance`


class Trial(_Strict, frozen=True):
    """Settings of a method that were tried."""

    settings: Annotated[dict[Label, Quality], FEW]
    loss: Quality | None  # on valid; None where the training diverged


class Tuning(_Strict, frozen=True):
    """How the settings of a curve were chosen, and what that cost."""

    seed: Count
    strength: Strength
    settings: Annotated[dict[Label, Quality], FEW]  # chosen: those of the least loss
    trials: Annotated[list[Trial], Meta(min_length=1, max_length=16)]
    seconds: Amount  # of all trials, as are steps and examples
    steps: Count
    labelled_examples: Count


class Record(_Strict, frozen=True):
    """A curve: one configuration of a method on a task, with all its strengths and seeds."""

    schema: Size
    task: TaskInfo
    method: MethodInfo
    division: Literal["closed", "open"]
    config: dict[str, Any]
    provenance: Annotated[dict[Hex, Provenance], Meta(min_length=1, max_length=200)]  # by digest
    verified: Annotated[list[Verification], FEW]
    dense: Annotated[list[Dense], Meta(min_length=1, max_length=200)]
    points: Annotated[list[Point], Meta(min_length=1, max_length=200)]
    protocol: Literal[1, 2]
    tuning: Tuning | None  # None: nothing is tuned
