"""Whether a record is what the files of its workdir say: `benchmarks.run` leaves every dense net and artifact there.

WORKDIR/<task>/dense-net-<digest>/seed<k>/dense.json, artifact.safetensors
WORKDIR/<task>/<method>-<digest>/<strength>/seed<k>/artifact.safetensors
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from leaderboard.record import digest
from leaderboard.rows import strength_text
from leaderboard.schema import Dense, Record, Result


class _Facts(msgspec.Struct):
    """Of a dense net, in dense.json."""

    bytes: int
    checkpoint: str
    quality: float


def problems(record: Record, workdir: Path) -> Iterator[str]:
    """What is wrong with a record as a submission, a line each."""
    yield from _provenance(record)
    yield from _config(record)
    for net in record.dense:
        yield from _dense(net, workdir / record.task.name)
    curve = workdir / record.task.name / f"{record.method.name}-{record.method.digest}"
    for point in record.points:
        for run in point.runs:
            if run.result is not None:
                where = Path(strength_text(point.strength)) / f"seed{run.seed}" / "artifact.safetensors"
                yield from _artifact(run.result, curve / where)


def _provenance(record):
    if record.provenance.dirty:
        yield "the code differed from its commit, nobody can run it again; commit, then run - at `$.provenance.dirty`"
    if record.provenance.commit == "unknown":
        yield "the commit is unknown, so nobody can run it again; run in a git clone - at `$.provenance.commit`"


def _config(record):
    said = {"task": record.task.name, "task_version": record.task.version, "method": record.method.name}
    for field, value in said.items():
        if record.config.get(field) != value:
            yield f"must be {value!r} - at `$.config.{field}`"
    if digest(record.config) != record.method.digest:
        yield f"the digest of `$.config` is {digest(record.config)} - at `$.method.digest`"


def _dense(net: Dense, folder: Path):
    """A seed may have several dense nets, one per budget: that of the checkpoint is meant."""
    for file in sorted(folder.glob(f"dense-net-*/seed{net.seed}/dense.json")):
        facts = _facts(file)
        if facts and facts.checkpoint == net.checkpoint:
            if (facts.quality, facts.bytes) != (net.quality, net.bytes):
                found = f"{file} has quality {facts.quality:g} and {facts.bytes} bytes"
                yield f"dense net of seed {net.seed}: {found}, not {net.quality:g} and {net.bytes}"
            yield from _size(net.bytes, file.with_name("artifact.safetensors"))
            return
    yield f"dense net {net.checkpoint} of seed {net.seed} is not in {folder}/dense-net-*"


def _facts(file: Path) -> _Facts | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Facts)
    except ValueError:
        return None


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
