"""The record: one JSON file, one curve (a method's configuration on a task, all strengths and seeds) with provenance.

Reading is strict: an unknown, missing or repeated key, a wrong type, a number out of range or a contradiction raises
RecordError, which names the file and the field. Writing is byte-stable: sorted keys, one scalar list a line.
Units are in the names.
"""

import json
import math
import os
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from leaderboard import strict, validate
from leaderboard.cells import plain
from leaderboard.files import write_atomically

SCHEMA = 2

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*\Z")]  # fit for a file name
Hex = Annotated[str, Meta(pattern=r"^[0-9a-f]+\Z")]
# Bounds are far from anything measured, and near enough for squares and ratios to stay finite.
Count = Annotated[int, Meta(ge=0, le=10**18)]
Size = Annotated[int, Meta(gt=0, le=10**18)]
Amount = Annotated[float, Meta(ge=0, le=1e100)]
Positive = Annotated[float, Meta(ge=1e-100, le=1e100)]
Quality = Annotated[float, Meta(ge=-1e100, le=1e100)]
Share = Annotated[float, Meta(ge=0, le=1)]


class RecordError(ValueError):
    """A record that cannot be believed; the message names the file and the field."""


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """Not tracked by the garbage collector: records hold no cycles, and there may be a million of these."""


class TaskInfo(_Strict):
    name: Name
    version: Size
    modality: str
    source: str
    fingerprint: str  # hash of the decoded arrays
    rows: dict[str, Size]  # examples in each split
    metric: str
    outcome: Literal["correct", "loss", "edits"]
    higher_is_better: bool
    eval_batch: Size
    reach: Quality  # what the dense net must reach on test
    controls: dict[str, Quality]  # task-level baselines, e.g. a 3-gram model


class MethodInfo(_Strict):
    name: Name
    family: str  # of techniques: "quantization"
    control: Name | None  # the method that this one must beat at the same strength
    knob: str
    digest: Hex  # of everything in `config` that changes a result; part of the file name
    recovers: bool


class Provenance(_Strict):
    command: str
    commit: str
    dirty: bool  # whether the tree differed from the commit
    libraries: dict[str, str]
    device: str  # platform, kind and count: "cpu x86_64 ×1"


class Verification(_Strict):
    """One run made again from its record, and found to be what the record says."""

    seed: Count
    strength: float | Annotated[list[float], Meta(min_length=2)]
    quality: Quality  # found
    tolerance: Amount  # |found - recorded| that was allowed
    device: str
    commit: str


class Latency(_Strict):
    batch: Size
    median_ms: Positive
    p95_ms: Positive
    dense_median_ms: Positive  # the dense net, interleaved with it in the same run
    compile_s: Amount


class Cost(_Strict):
    seconds: Amount  # optimization: init, recovery, settle; compile apart
    compile_s: Amount
    steps: Count
    labelled_examples: Count
    calibration_examples: Count
    teacher_forwards: Count  # examples


class Result(_Strict):
    """What one exported artifact is and does."""

    quality: Quality  # test, last step
    valid_quality: Quality
    outcomes: str | list[Quality]  # per test example; "0110…" where the outcome is right or wrong
    artifact: str  # SHA-256 of the file
    bytes: Size
    parameters: Count
    density: Share  # nonzero share of the weights that multiply
    macs: Count  # per example
    effective_macs: Amount  # × density
    bops: Amount  # × density × weight bits × activation bits
    execution: Literal["simulated", "deployed"]
    latency: list[Latency]
    memory_bytes: Size  # peak of the compiled program at the task's batch
    cost: Cost
    output_error: Amount  # |simulated - shipped| / max |simulated| of outputs, worst element
    notes: list[str]  # fallbacks taken, if any


class Run(_Strict):
    seed: Count
    dense: str  # checkpoint it started from: hash of the dense weights
    result: Result | None  # None if the run failed,
    failure: str | None  # and why


class Point(_Strict):
    strength: float | Annotated[list[float], Meta(min_length=2)]  # a list of a chain, one per part
    runs: Annotated[list[Run], Meta(min_length=1)]


class Dense(_Strict):
    seed: Count
    checkpoint: str
    quality: Quality
    bytes: Size


class Record(_Strict):
    schema: Size
    task: TaskInfo
    method: MethodInfo
    division: Literal["closed", "open"]
    config: dict[str, Any]
    provenance: Provenance
    verified: list[Verification]
    dense: Annotated[list[Dense], Meta(min_length=1)]
    points: Annotated[list[Point], Meta(min_length=1)]


def read(path: str | os.PathLike) -> Record:
    """The record at `path`. Raises RecordError."""
    try:
        text = Path(path).read_bytes().decode()
    except OSError as error:
        raise RecordError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise RecordError(f"{path}: not UTF-8 at byte {error.start}") from None
    return _parse(text, path)


def read_all(folder: str | os.PathLike) -> list[Record]:
    """Every record under `folder`, by task, method and digest. Raises RecordError, for a misplaced file too."""
    folder = Path(folder)
    if not folder.is_dir():
        raise RecordError(f"{folder}: no such folder")
    records = []
    for path in sorted(folder.rglob("*.json")):
        found = read(path)
        wanted = folder / found.task.name / f"{found.method.name}-{found.method.digest}.json"
        if path != wanted:
            raise RecordError(f"{path}: must be named {wanted} - at `$.task.name`, `$.method.name`, `$.method.digest`")
        records.append(found)
    return sorted(records, key=lambda r: (r.task.name, r.method.name, r.method.digest))


def write(path: str | os.PathLike, record: Record) -> None:
    """Writes atomically, and only what `read` accepts. Raises RecordError."""
    believed = _parse(json.dumps(msgspec.to_builtins(record)), path)
    write_atomically(path, dumps(msgspec.to_builtins(believed)) + "\n")


def _parse(text, path) -> Record:
    try:
        schema = _schema(strict.parse(text))
        if schema != SCHEMA:
            raise ValueError(f"schema is {schema}, this code reads {SCHEMA} - at `$.schema`")
        record = msgspec.json.decode(text, type=Record)
    except ValueError as error:
        raise RecordError(f"{path}: {plain(str(error))}") from None
    for what, field in validate.problems(record):
        raise RecordError(f"{path}: {what} - at `{field}`")
    return record


def _schema(value):
    """What the value says its schema is; where it says nothing, decoding will tell what is wrong."""
    schema = value.get("schema") if isinstance(value, dict) else None
    return schema if type(schema) is int else SCHEMA


def dumps(value: Any, indent: str = "") -> str:
    """JSON with sorted keys, one key a line, and every list of scalars on one line. NaN and infinities are refused."""
    deeper = indent + " "
    if isinstance(value, dict) and value:
        rows = (f"{deeper}{json.dumps(k)}: {dumps(value[k], deeper)}" for k in sorted(value))
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return "[\n" + ",\n".join(deeper + dumps(item, deeper) for item in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def digits(value: float, significant: int = 6) -> float:
    """`value` rounded to `significant` digits: what a record stores of a measured number."""
    return float(f"{value:.{significant}g}") if math.isfinite(value) else value
