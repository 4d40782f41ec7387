"""Whether a record is what the files of its workdir say; where they lie is in `leaderboard/record/layout.py`."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from leaderboard.record.canonical import digest
from leaderboard.record.layout import ARTIFACT, DENSE, RUN, TRIAL, dense_folder, run_folder, trial_folder
from leaderboard.record.schema import PROTOCOL, Dense, Point, Provenance, Record, Result, Run
from leaderboard.record.text import shortened

Kind = TypeVar("Kind", bound=msgspec.Struct)
UNKNOWN = "is unknown, so its files cannot be found; run it again"


class _Net(msgspec.Struct):
    """What dense.json says of a dense net, among other things."""

    task: str
    identity: str
    seed: int
    provenance: Provenance
    bytes: int
    checkpoint: str
    quality: float


class _Ran(msgspec.Struct):
    """What run.json says of a run, among other things."""

    task: str
    method: str
    strength: list[float]
    provenance: Provenance
    run: Run


class _Tried(msgspec.Struct):
    """What trial.json says of settings that were tried, among other things."""

    settings: dict[str, float]
    loss: float | None = None


def problems(record: Record, workdir: Path) -> Iterator[str]:
    """Yields what is wrong with a record as a submission, a line each."""
    yield from _provenance(record)
    if record.protocol != PROTOCOL:
        yield f"is of protocol {record.protocol}, the board takes {PROTOCOL}; run it again - at `$.protocol`"
    for i, net in enumerate(record.dense):
        yield from _dense(record, net, workdir, f"$.dense[{i}]")
    for i, point in enumerate(record.points):
        for j, run in enumerate(point.runs):
            if run.skipped is None:
                yield from _run(record, point, run, workdir, f"$.points[{i}].runs[{j}]")
    yield from _tuning(record, workdir)


def _provenance(record):
    for name, made in record.provenance.items():
        field = f"$.provenance.{name}"
        if made.dirty:
            yield f"the code differed from its commit, nobody can run it again; commit, then run - at `{field}.dirty`"
        if made.commit == "unknown":
            yield f"the commit is unknown, so nobody can run it again; run in a git clone - at `{field}.commit`"
        if made.outside:
            yield f"ran code that is in no commit, {', '.join(made.outside)}; commit it - at `{field}.outside`"


def _dense(record: Record, net: Dense, workdir: Path, field: str):
    if net.identity is None:
        yield f"{UNKNOWN} - at `{field}.identity`"
        return
    folder = dense_folder(workdir, record.task.name, net.identity, net.seed)
    yield from _same(folder / DENSE, _Net, _as_net, _values(net, task=record.task.name), field)
    yield from _size(net.bytes, folder / ARTIFACT)


def _as_net(found: _Net) -> dict[str, Any]:
    return _values(found) | {"provenance": digest(msgspec.to_builtins(found.provenance))}


def _run(record: Record, point: Point, run: Run, workdir: Path, field: str):
    if run.identity is None:
        yield f"{UNKNOWN} - at `{field}.identity`"
        return
    names = record.task.name, record.method.name, run.identity
    folder = run_folder(workdir, *names, point.strength, run.seed)
    own = _values(run, task=record.task.name, method=record.method.name, strength=point.strength)
    yield from _same(folder / RUN, _Ran, _as_run, own, field)
    if run.result is not None:
        yield from _artifact(run.result, folder / ARTIFACT)


def _as_run(found: _Ran) -> dict[str, Any]:
    provenance = digest(msgspec.to_builtins(found.provenance))
    named = {name: getattr(found, name) for name in ("task", "method", "strength")}
    return _values(found.run, **named) | {"provenance": provenance}


def _values(one: msgspec.Struct, **others: Any) -> dict[str, Any]:
    return msgspec.to_builtins(one) | others


def _tuning(record: Record, workdir: Path):
    """Each trial is in a file; which folder it was is not in a record."""
    if record.tuning is None:
        return
    for i, trial in enumerate(record.tuning.trials):
        files = trial_folder(workdir, record.task.name, record.method.name, "*", trial.settings)
        found = [_read(file, _Tried) for file in workdir.glob(str(files.relative_to(workdir) / TRIAL))]
        if not any(one and (one.settings, one.loss) == (trial.settings, trial.loss) for one in found):
            yield f"no {files / TRIAL} says this - at `$.tuning.trials[{i}]`"


def _same(file: Path, kind: type[Kind], told: Callable[[Kind], dict[str, Any]], own: dict[str, Any], field: str):
    """What the file and the record say differently: the first field of it."""
    found = _read(file, kind)
    if found is None:
        yield f"{file} is missing or cannot be read"
        return
    for path, said, wanted in _differences(own, told(found), field):
        yield f"{file} has {_shown(wanted)}, not {_shown(said)} - at `{path}`"
        return


def _differences(own: Any, other: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(own, dict) and isinstance(other, dict):
        for name in own:
            yield from _differences(own[name], other.get(name), f"{path}.{name}")
    elif own != other:
        yield path, own, other


def _shown(value: Any) -> str:
    return shortened(json.dumps(value), 80)


def _read(file: Path, kind: type[Kind]) -> Kind | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except (OSError, ValueError):
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
