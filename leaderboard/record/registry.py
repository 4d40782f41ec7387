"""The registry, `leaderboard/tasks.json`: what each task of the board is. Nothing about a task is elected by records.

`python -m benchmarks.tasks --write` writes it from the tasks and their data; the board reads it and imports no task.
What depends on data is null for a task whose data have not been at hand yet: such a task is not ranked.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from leaderboard.record import canonical
from leaderboard.record.atomic import write_atomically
from leaderboard.record.files import refusal
from leaderboard.record.schema import Amount, Hex, Label, Quality, Record, Size, TaskInfo, Text

TASKS = Path(__file__).parents[1] / "tasks.json"
WRITE = "python -m benchmarks.tasks --write"


class Clusters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which test examples depend on each other, packed: the labels themselves are in every record."""

    count: Size
    sha256: Hex  # of the JSON list of labels, 16 digits


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One task: the fields are those of a record's `task`."""

    version: Size
    modality: Label
    source: Text
    fingerprint: Label | None  # None: the data have not been at hand, as for the three below
    rows: dict[Label, Size] | None
    reference: Quality | None
    controls: dict[Label, Quality] | None
    metric: Label
    outcome: Literal["correct", "loss", "edits"]
    higher_is_better: bool
    eval_batch: Size
    reach: Quality
    margin: Amount | None
    window: Annotated[list[Size], Meta(min_length=2, max_length=2)] | None
    clusters: Clusters | None  # None: all are independent
    dense: Hex | None  # digest of the record of method "dense" whose nets stand for the task; None: there is none


TEXTS = ("modality", "source", "controls", "dense")
"""Fields that only describe: pages show those of the registry, whatever a record says."""


def entry(task: TaskInfo, dense: str | None) -> Known:
    """Returns the entry of a task as a record describes it. `dense`: digest of its record of dense nets."""
    shared = {name: getattr(task, name) for name in Known.__struct_fields__ if name not in ("clusters", "dense")}
    return Known(**shared, clusters=_packed(task.clusters), dense=dense)


def described(name: str, known: Known, clusters: list[int] | None) -> TaskInfo:
    """Returns the task as pages show it.

    Args:
        name: of the task.
        known: its entry, with data.
        clusters: labels of the test examples, which an entry does not hold.
    """
    shared = {field: getattr(known, field) for field in Known.__struct_fields__ if field not in ("clusters", "dense")}
    return TaskInfo(name=name, **shared, clusters=clusters)


def difference(task: TaskInfo, known: Known) -> str | None:
    """Returns in what a record's task is another than that of the registry; None if in nothing that is measured."""
    own = entry(task, None)
    for field in ("version", "fingerprint", *Known.__struct_fields__):
        said, wanted = getattr(own, field), getattr(known, field)
        if field not in TEXTS and said != wanted:
            if field == "clusters":
                return "task.clusters are not those of the board"
            return f"task.{field} is {_shown(said)}, the board's is {_shown(wanted)}"
    return None


def read(path: Path = TASKS) -> dict[str, Known]:
    """Returns the entries by task. Raises RecordError if there is no such file, or it is not a registry."""
    try:
        text = path.read_bytes().decode()
        canonical.parse(text)
        return msgspec.json.decode(text, type=dict[str, Known])
    except OSError as error:
        raise refusal(path, error.strerror) from None
    except (ValueError, RecursionError) as error:
        raise refusal(path, f"{error}; write it: {WRITE}") from None


def text(entries: Mapping[str, Known]) -> str:
    """Returns the file of the entries: sorted, a field a line."""
    return canonical.dumps(msgspec.to_builtins(dict(entries))) + "\n"


def write(entries: Mapping[str, Known], path: Path = TASKS) -> None:
    """Writes the registry atomically."""
    write_atomically(path, text(entries))


def said(records: Sequence[Record]) -> dict[str, Known]:
    """Returns the entries that records give themselves: of a folder of one's own, which no registry governs.

    Of each task it is the newest version, and what most records of it say.
    """
    ordered = sorted(records, key=lambda record: (record.task.name, record.method.digest))
    return {name: _said(list(group)) for name, group in groupby(ordered, key=attrgetter("task.name"))}


def _said(records: list[Record]) -> Known:
    newest = max(record.task.version for record in records)
    dense = [r.method.digest for r in records if r.method.name == "dense" and r.division == "closed"]
    entries = [entry(r.task, dense[0] if dense else None) for r in records if r.task.version == newest]
    votes = Counter(msgspec.json.encode(_measured(one)) for one in entries)
    most = votes.most_common(1)[0][0]
    return next(one for one in entries if msgspec.json.encode(_measured(one)) == most)


def _measured(one: Known) -> dict:
    return {field: value for field, value in sorted(msgspec.to_builtins(one).items()) if field not in TEXTS}


def _packed(labels: list[int] | None) -> Clusters | None:
    if labels is None:
        return None
    found = hashlib.sha256(json.dumps(labels).encode()).hexdigest()[:16]
    return Clusters(count=len(set(labels)), sha256=found)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
