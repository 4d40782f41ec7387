"""`python -m leaderboard.migrate`: rewrites records of schema 2 in schema 3. Others stay as they are.

A record gets a new digest, as its config says more: its file is renamed. What schema 2 did not hold is null: the
identities of nets and runs, the settings of JAX, the number of starts.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from absl import flags

from leaderboard.command import Command, UsageError, call, complain
from leaderboard.inputs import define_results
from leaderboard.record.canonical import digest, parse
from leaderboard.record.files import RecordError, place, refusal, write
from leaderboard.record.schema import Record

TASKS = Path(__file__).with_name("schema2.json")
"""The net and the reference of each task that had records of schema 2, which these do not hold."""
WHOLE = {"dense": 1.0, "recovery": 1.0, "batch": 1.0, "examples": 1.0}


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
    refused, known = [], json.loads(TASKS.read_text("utf-8"))
    for path in sorted(folder.rglob("*.json")):
        try:
            _rewrite(path, folder, known)
        except RecordError as error:
            refused.append(error)
    return complain(refused)


def _rewrite(path: Path, folder: Path, known: dict[str, Any]) -> None:
    """Writes the new file, then removes the old one: a kill between leaves both, and the next call ends it."""
    try:
        old = parse(path.read_text("utf-8"))
        if not isinstance(old, dict) or old.get("schema") != 2:
            return
        record = msgspec.convert(migrated(old, known), type=Record)
    except (KeyError, TypeError, AttributeError) as error:
        raise refusal(path, f"is no record of schema 2: {type(error).__name__} {error}") from None
    except ValueError as error:
        raise refusal(path, error) from None
    write(place(folder, record), record)
    path.unlink()


def migrated(old: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """Returns the JSON of a record of schema 2 in schema 3.

    Raises ValueError for a record that schema 2 says too little of: of the open division, or of another task.

    Args:
        old: JSON of the record.
        known: {task: {"net": JSON of its net, "reference": quality of an answer that ignores its input}}.
    """
    name = old["task"]["name"]
    if old["division"] != "closed":
        raise ValueError("a record of the open division does not say its budget; run it again - at `$.division`")
    if name not in known:
        raise ValueError(f"the net of {name!r} is not known; run it again - at `$.task.name`")
    made = old["provenance"] | {"outside": [], "settings": None}
    origin = {"identity": None, "provenance": digest(made)}
    extra = {"net": known[name]["net"], "eval_batch": old["task"]["eval_batch"], "budget": WHOLE}
    config = old["config"] | extra
    return old | {
        "schema": 3,
        "task": old["task"] | {"reference": known[name]["reference"]},
        "method": _method(old["method"], digest(config)),
        "config": config,
        "provenance": {digest(made): made},
        "verified": [found | {"strength": _strength(old, found["strength"])} for found in old["verified"]],
        "dense": [net | origin for net in old["dense"]],
        "points": [
            {
                "strength": _strength(old, point["strength"]),
                "runs": [run | origin | {"skipped": None, "result": _result(run["result"])} for run in point["runs"]],
            }
            for point in old["points"]
        ],
    }


def _method(old, key):
    kept = {name: old[name] for name in ("name", "family", "control")}
    knobs = [] if old["knob"] == "none" else old["knob"].split(", ")
    return kept | {"knobs": knobs, "budget": "recovery" if old["recovers"] else "none", "digest": key}


def _strength(old, strength):
    if old["method"]["knob"] == "none":
        return []
    return strength if isinstance(strength, list) else [strength]


def _result(old):
    if old is None:
        return None
    one, batch = old["latency"]
    cost = old["cost"] | {"starts": None, "cached": None}
    return old | {"latency": {"one": one, "batch": batch}, "cost": cost}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
