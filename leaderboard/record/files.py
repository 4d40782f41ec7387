"""Records as files: read, written, named. What they hold is in `leaderboard/record/schema.py`.

Reading is strict: an unknown, missing or repeated key, a wrong type, a number or text out of bounds or a contradiction
raises RecordError, which names the file and the field. Writing is byte-stable: sorted keys, one scalar list a line.
"""

import json
import os
from pathlib import Path

import msgspec

from leaderboard.record import layout, validate
from leaderboard.record.atomic import write_atomically
from leaderboard.record.canonical import dumps, parse
from leaderboard.record.schema import SCHEMA, Record
from leaderboard.record.text import plain, shortened

MOST_BYTES = 64_000_000
"""A file above this is not read."""


class RecordError(ValueError):
    """A record that cannot be believed; the message names the file and the field."""


def read(path: str | os.PathLike) -> Record:
    """Returns the record at `path`. Raises RecordError."""
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
    """Returns the records under `folder`, by task, method and digest, and an error for each that is refused.

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
    """Returns the file under `folder` where a record belongs."""
    return layout.record_file(Path(folder), record.task.name, record.method.name, record.method.digest)


def _placed(path: Path, folder: Path) -> Record:
    if path.is_symlink():
        raise refusal(path, "is a symbolic link; a record is a file")
    record = read(path)
    wanted = place(folder, record)
    if path != wanted:
        raise refusal(path, f"must be named {wanted} - at `$.task.name`, `$.method.name`, `$.method.digest`")
    return record


def write(path: str | os.PathLike, record: Record) -> None:
    """Writes a record atomically, and only what `read` accepts. Raises RecordError."""
    write_atomically(path, dumps(msgspec.to_builtins(checked(path, record))) + "\n")


def checked(path: str | os.PathLike, record: Record) -> Record:
    """Returns the record as `read` would from `path`, without writing it. Raises RecordError."""
    return _parse(json.dumps(msgspec.to_builtins(record)), path)


def _parse(text, path) -> Record:
    try:
        schema = _schema(parse(text))
        if schema != SCHEMA:
            mend = "; mend it: python -m leaderboard.migrate" if schema == SCHEMA - 1 else ""
            raise ValueError(f"schema is {schema}, this code reads {SCHEMA}{mend} - at `$.schema`")
        record = msgspec.json.decode(text, type=Record)
    except (ValueError, RecursionError) as error:
        raise refusal(path, error) from None
    for what, field in validate.problems(record):
        raise refusal(path, f"{what} - at `{field}`")
    return record


def refusal(path: str | os.PathLike, what: object) -> RecordError:
    """Returns an error of one short line, whatever a file holds or is called."""
    return RecordError(f"{shortened(plain(str(path)), 500)}: {shortened(plain(str(what)), 500)}")


def _schema(value):
    """Returns the schema that the value says it has; where it says none, decoding will tell what is wrong."""
    schema = value.get("schema") if isinstance(value, dict) else None
    return schema if type(schema) is int else SCHEMA
