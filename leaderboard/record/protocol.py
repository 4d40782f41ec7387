"""Contradictions in what protocol 2 brought: windows, clusters, tuning, quartiles; and what a record of it must say."""

import math
from collections.abc import Iterator
from typing import Any

from leaderboard.record.schema import Latency, Record, Result, TaskInfo, Tuning

Problems = Iterator[tuple[str, str]]
UNKNOWN = "is null, but a record of protocol 2 knows it"


def problems(record: Record) -> Problems:
    """Yields (what is wrong, field) for each contradiction; `$.task.rows` must hold the test examples."""
    yield from _task(record.task)
    if record.tuning is not None:
        yield from _tuning(record.tuning)
    if record.protocol == 2:
        yield from _known({"$.task.margin": record.task.margin})
        yield from _reference(record)
    for i, point in enumerate(record.points):
        for j, run in enumerate(point.runs):
            if run.result is not None:
                yield from _result(run.result, record.protocol, f"$.points[{i}].runs[{j}].result")


def _task(task: TaskInfo) -> Problems:
    if task.window is not None and task.window[0] >= task.window[1]:
        yield f"{task.window[0]} is not below {task.window[1]}", "$.task.window"
    if task.clusters is not None and len(task.clusters) != task.rows["test"]:
        yield f"{len(task.clusters)} clusters for {task.rows['test']} test examples", "$.task.clusters"


def _tuning(tuning: Tuning) -> Problems:
    """Its strength is the middle of the method's sweep, which need not be among those that were run."""
    losses = [_loss(trial.loss) for trial in tuning.trials]
    chosen = [loss for trial, loss in zip(tuning.trials, losses, strict=True) if trial.settings == tuning.settings]
    if not chosen:
        yield "must be the settings of one of the trials", "$.tuning.settings"
    elif min(chosen) > min(losses):
        yield f"have loss {min(chosen):g}, but a trial has {min(losses):g}", "$.tuning.settings"


def _loss(loss: float | None) -> float:
    """A training that diverged is worse than any that did not."""
    return math.inf if loss is None else loss


def _reference(record: Record) -> Problems:
    itself = record.method.name == "finetuned"
    wanted = "dense" if record.method.budget == "none" or itself else "finetuned"
    if record.method.reference != wanted:
        yield f"must be {wanted!r} by `$.method.budget`", "$.method.reference"


def _result(result: Result, protocol: int, field: str) -> Problems:
    if result.payload is not None and result.payload > result.bytes:
        yield f"is {result.payload}, but the file has {result.bytes} bytes", f"{field}.payload"
    for name in ("one", "batch"):
        yield from _latency(getattr(result.latency, name), protocol, f"{field}.latency.{name}")
    if protocol == 2:
        names = ("payload", "weight_bits", "memory_bytes")
        yield from _known({f"{field}.{name}": getattr(result, name) for name in names})
        yield from _known({f"{field}.cost.calibration_drawn": result.cost.calibration_drawn})
        if result.execution == "simulated" and result.compiled_memory_bytes is not None:
            yield "must be null: a simulated run says nothing of it", f"{field}.compiled_memory_bytes"


def _latency(latency: Latency, protocol: int, field: str) -> Problems:
    quartiles = latency.speedup
    if quartiles is not None and not quartiles.low <= quartiles.median <= quartiles.high:
        shown = f"{quartiles.low:g}, {quartiles.median:g}, {quartiles.high:g}"
        yield f"low, median and high are {shown}; they must rise", f"{field}.speedup"
    if protocol == 2:
        yield from _known({f"{field}.speedup": quartiles, f"{field}.rounds": latency.rounds})


def _known(values: dict[str, Any]) -> Problems:
    for field, value in values.items():
        if value is None:
            yield UNKNOWN, field
