"""The record: one JSON file, one curve (a method's configuration on a task, all strengths and seeds) with provenance.

Reading is strict: an unknown, missing or repeated key, a wrong type, a number or text out of bounds or a contradiction
raises RecordError, which names the file and the field. Writing is byte-stable: sorted keys, one scalar list a line.
Units are in the names.
"""

import hashlib
import json
import math
import os
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from leaderboard import strict, validate
from leaderboard.cells import plain, shortened
from leaderboard.files import write_atomically

SCHEMA = 2

MOST_BYTES = 64_000_000
"""A file above this is not read."""

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*\Z", max_length=100)]  # fit for a file name
Hex = Annotated[str, Meta(pattern=r"^[0-9a-f]+\Z", max_length=64)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Label = Annotated[str, Meta(max_length=100)]  # fit for a cell
Text = Annotated[str, Meta(max_length=2000)]  # fit for a paragraph
FEW = Meta(max_length=200)
Count = Annotated[int, Meta(ge=0)]
Size = Annotated[int, Meta(gt=0)]
Amount = Annotated[float, Meta(ge=0)]
Duration = Annotated[float, Meta(ge=1e-6)]  # no clock shows less of a millisecond
Share = Annotated[float, Meta(ge=0, le=1)]


class RecordError(ValueError):
    """A record that cannot be believed; the message names the file and the field."""


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class TaskInfo(_Strict):
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
    reach: float  # what the dense net must reach on test
    controls: Annotated[dict[Label, float], FEW]  # task-level baselines, e.g. a 3-gram model


class MethodInfo(_Strict):
    name: Name
    family: Label  # of techniques: "quantization"
    control: Name | None  # the method that this one must beat at the same strength
    knob: Label
    digest: Hex  # of everything in `config` that changes a result; part of the file name
    recovers: bool


class Provenance(_Strict):
    command: Text
    commit: Label
    dirty: bool  # whether the tree differed from the commit
    libraries: Annotated[dict[Label, Label], FEW]
    device: Label  # platform, kind and count: "cpu AMD EPYC 7B13, 2 cores"


class Verification(_Strict):
    """One run made again from its record, and found to be what the record says."""

    seed: Count
    strength: float | Annotated[list[float], Meta(min_length=2)]
    quality: float  # found
    tolerance: Amount  # |found - recorded| that was allowed
    device: Label
    commit: Label


class Latency(_Strict):
    batch: Size
    median_ms: Duration
    p95_ms: Duration
    dense_median_ms: Duration  # the dense net, interleaved with it in the same run
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

    quality: float  # test, last step
    valid_quality: float
    outcomes: str | list[float]  # per test example; "0110…" where the outcome is right or wrong
    artifact: Sha256  # of the file
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
    notes: Annotated[list[Text], FEW]  # fallbacks taken, if any


class Run(_Strict):
    seed: Count
    dense: Label  # checkpoint it started from: hash of the dense weights
    result: Result | None  # None if the run failed,
    failure: Text | None  # and why


class Point(_Strict):
    strength: float | Annotated[list[float], Meta(min_length=2)]  # a list of a chain, one per part
    runs: Annotated[list[Run], Meta(min_length=1, max_length=200)]


class Dense(_Strict):
    seed: Count
    checkpoint: Label
    quality: float
    bytes: Size


class Record(_Strict):
    schema: Size
    task: TaskInfo
    method: MethodInfo
    division: Literal["closed", "open"]
    config: dict[str, Any]
    provenance: Provenance
    verified: Annotated[list[Verification], FEW]
    dense: Annotated[list[Dense], Meta(min_length=1, max_length=200)]
    points: Annotated[list[Point], Meta(min_length=1, max_length=200)]


def read(path: str | os.PathLike) -> Record:
    """The record at `path`. Raises RecordError."""
    path = Path(path)
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise refusal(path, "is no file")
        if size > MOST_BYTES:
            raise refusal(path, f"{size} bytes, at most {MOST_BYTES} are read")
        text = path.read_bytes().decode()
    except OSError as error:
        raise refusal(path, error.strerror) from None
    except UnicodeDecodeError as error:
        raise refusal(path, f"not UTF-8 at byte {error.start}") from None
    return _parse(text, path)


def read_all(folder: str | os.PathLike) -> tuple[list[Record], list[RecordError]]:
    """The records under `folder`, by task, method and digest; and what is wrong with each that is refused.

    A misplaced file and a symbolic link are refused, too. Raises RecordError if there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise refusal(folder, "no such folder")
    records, refused = [], []
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".json" or path.is_symlink():
            try:
                records.append(_placed(path, folder))
            except RecordError as error:
                refused.append(error)
    return sorted(records, key=lambda r: (r.task.name, r.method.name, r.method.digest)), refused


def place(folder: str | os.PathLike, record: Record) -> Path:
    """Where under `folder` a record belongs."""
    return Path(folder) / record.task.name / f"{record.method.name}-{record.method.digest}.json"


def _placed(path, folder) -> Record:
    if path.is_symlink():
        raise refusal(path, "is a symbolic link; a record is a file")
    record = read(path)
    wanted = place(folder, record)
    if path != wanted:
        raise refusal(path, f"must be named {wanted} - at `$.task.name`, `$.method.name`, `$.method.digest`")
    return record


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
    except (ValueError, RecursionError) as error:
        raise refusal(path, error) from None
    for what, field in validate.problems(record):
        raise refusal(path, f"{what} - at `{field}`")
    return record


def refusal(path, what) -> RecordError:
    """In one short line, whatever a file holds or is called."""
    return RecordError(f"{shortened(plain(str(path)), 500)}: {shortened(plain(str(what)), 500)}")


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


def digest(value: Any) -> str:
    """Eight hex digits of a JSON value: `method.digest` is that of `config`."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]


def digits(value: float, significant: int = 6) -> float:
    """`value` rounded to `significant` digits: what a record stores of a measured number."""
    return float(f"{value:.{significant}g}") if math.isfinite(value) else value
