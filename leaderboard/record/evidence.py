"""Whether a record is what the files of its workdir say; where they lie is in `leaderboard/record/layout.py`."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from leaderboard.record.canonical import digest
from leaderboard.record.layout import ARTIFACT, DENSE, RUN, dense_folder, run_folder
from leaderboard.record.schema import PROTOCOL, Dense, Point, Record, Result, Run

UNKNOWN = "is unknown, so its files cannot be found; run it again"


class _Facts(msgspec.Struct):
    """What dense.json says of a dense net, among other things."""

    bytes: int
    checkpoint: str
    quality: float


def problems(record: Record, workdir: Path) -> Iterator[str]:
    """Yields what is wrong with a record as a submission, a line each."""
    yield from _provenance(record)
    yield from _config(record)
    if record.protocol != PROTOCOL:
        yield f"is of protocol {record.protocol}, the board takes {PROTOCOL}; run it again - at `$.protocol`"
    for i, net in enumerate(record.dense):
        yield from _dense(record, net, workdir, f"$.dense[{i}]")
    for i, point in enumerate(record.points):
        for j, run in enumerate(point.runs):
            if run.skipped is None:
                yield from _run(record, point, run, workdir, f"$.points[{i}].runs[{j}]")


def _provenance(record):
    for name, made in record.provenance.items():
        field = f"$.provenance.{name}"
        if made.dirty:
            yield f"the code differed from its commit, nobody can run it again; commit, then run - at `{field}.dirty`"
        if made.commit == "unknown":
            yield f"the commit is unknown, so nobody can run it again; run in a git clone - at `{field}.commit`"
        if made.outside:
            yield f"ran code that is in no commit, {', '.join(made.outside)}; commit it - at `{field}.outside`"


def _config(record):
    said = {"task": record.task.name, "task_version": record.task.version, "method": record.method.name}
    for field, value in said.items():
        if record.config.get(field) != value:
            yield f"must be {value!r} - at `$.config.{field}`"
    if digest(record.config) != record.method.digest:
        yield f"the digest of `$.config` is {digest(record.config)} - at `$.method.digest`"


def _dense(record: Record, net: Dense, workdir: Path, field: str):
    if net.identity is None:
        yield f"{UNKNOWN} - at `{field}.identity`"
        return
    folder = dense_folder(workdir, record.task.name, net.identity, net.seed)
    facts = _facts(folder / DENSE)
    if facts is None:
        yield f"{folder / DENSE} is missing or cannot be read"
    elif facts != _Facts(net.bytes, net.checkpoint, net.quality):
        found = f"{folder / DENSE} has {facts.checkpoint}, quality {facts.quality:g} and {facts.bytes} bytes"
        yield f"{found}, not {net.checkpoint}, {net.quality:g} and {net.bytes} - at `{field}`"
    else:
        yield from _size(net.bytes, folder / ARTIFACT)


def _facts(file: Path) -> _Facts | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Facts)
    except (OSError, ValueError):
        return None


def _run(record: Record, point: Point, run: Run, workdir: Path, field: str):
    if run.identity is None:
        yield f"{UNKNOWN} - at `{field}.identity`"
        return
    names = record.task.name, record.method.name, run.identity
    folder = run_folder(workdir, *names, point.strength, run.seed)
    if not (folder / RUN).is_file():
        yield f"{folder / RUN} is missing"
    if run.result is not None:
        yield from _artifact(run.result, folder / ARTIFACT)


def _size(size: int, file: Path):
    if not file.is_file():
        yield f"{file} is missing"
    elif file.stat().st_size != size:
        yield f"{file} has {file.stat().st_size} bytes, not {size}"


def _artifact(result: Result, file: Path):
    wrong = list(_size(result.bytes, file))
    if not wrong:
        with file.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
        wrong = [f"{file} has SHA-256 {found}, not {result.artifact}"] if found != result.artifact else []
    yield from wrong
