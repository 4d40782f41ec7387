"""`python -m leaderboard.migrate`: rewrites records of schema 3, which are of protocol 1, in schema 4. Others stay.

What they did not hold is null: the window and margin of the task, payload, bits of a weight, quartiles of times. Their
memory is that of the compiled program. They were compared with dense alone, whatever training a method had.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from absl import flags

from leaderboard.command import Command, UsageError, call, complain
from leaderboard.inputs import define_results
from leaderboard.record.canonical import parse
from leaderboard.record.files import RecordError, refusal, write
from leaderboard.record.schema import Record


def main(argv: Sequence[str]) -> int:
    """Returns the exit code: 0 done, 2 a flag or a record is wrong; the others are rewritten."""
    return call(_migrate, _command(), argv)


def _command() -> Command:
    values = flags.FlagValues()
    define_results(values)
    return Command(__doc__, values)


def _migrate(values: flags.FlagValues) -> int:
    folder = Path(values.results)
    if not folder.is_dir():
        raise UsageError(f"--results={folder}: no such folder")
    refused = []
    for path in sorted(folder.rglob("*.json")):
        try:
            _rewrite(path)
        except RecordError as error:
            refused.append(error)
    return complain(refused)


def _rewrite(path: Path) -> None:
    try:
        old = parse(path.read_text("utf-8"))
        if not isinstance(old, dict) or old.get("schema") != 3:
            return
        record = msgspec.convert(migrated(old), type=Record)
    except (KeyError, TypeError, AttributeError) as error:
        raise refusal(path, f"is no record of schema 3: {type(error).__name__} {error}") from None
    except ValueError as error:
        raise refusal(path, error) from None
    write(path, record)


def migrated(old: dict[str, Any]) -> dict[str, Any]:
    """Returns the JSON of a record of schema 3 in schema 4."""
    return old | {
        "schema": 4,
        "protocol": 1,
        "task": old["task"] | {"margin": None, "window": None, "clusters": None},
        "method": old["method"] | {"reference": "dense"},
        "tuning": None,
        "points": [
            point | {"runs": [run | {"result": _result(run["result"])} for run in point["runs"]]}
            for point in old["points"]
        ],
    }


def _result(old: dict[str, Any] | None) -> dict[str, Any] | None:
    if old is None:
        return None
    new = {"payload": None, "weight_bits": None, "memory_bytes": None, "compiled_memory_bytes": old["memory_bytes"]}
    new["latency"] = {name: timed | {"speedup": None, "rounds": None} for name, timed in old["latency"].items()}
    return old | new | {"cost": old["cost"] | {"calibration_drawn": None}}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
