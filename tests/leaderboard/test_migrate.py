"""Records of schema 3 become records of schema 4 and of protocol 1, and say the same."""

import copy
import json

import pytest

from leaderboard import migrate
from leaderboard.migrate import migrated
from leaderboard.record import files
from leaderboard.record.canonical import digest
from tests.leaderboard.conftest import NET, WHOLE

LATENCY = {"median_ms": 0.5, "p95_ms": 0.6, "dense_median_ms": 0.9, "compile_s": 0.1}
TIMED = LATENCY | {"speedup": None, "rounds": None}
COST = {
    "seconds": 12.0,
    "compile_s": 1.0,
    "cached": None,
    "starts": 1,
    "steps": 300,
    "labelled_examples": 9600,
    "calibration_examples": 8,
    "teacher_forwards": 0,
}
RESULT = {
    "quality": 0.5,
    "valid_quality": 0.5,
    "outcomes": "01",
    "artifact": "ab" * 32,
    "bytes": 10,
    "parameters": 3,
    "density": 1.0,
    "macs": 3,
    "effective_macs": 3.0,
    "bops": 3.0,
    "execution": "simulated",
    "output_error": 0.0,
    "notes": [],
}
MADE = {"command": "python", "commit": "0" * 40, "dirty": False, "libraries": {"jax": "1"}, "device": "cpu"}
MADE |= {"outside": [], "settings": None}
ORIGIN = {"identity": None, "provenance": digest(MADE)}
TASK = {
    "name": "toy",
    "version": 1,
    "modality": "vision",
    "source": "a test",
    "fingerprint": "f00d",
    "rows": {"test": 2},
    "metric": "accuracy",
    "outcome": "correct",
    "higher_is_better": True,
    "eval_batch": 8,
    "reach": 0.4,
    "reference": 0.1,
    "controls": {},
}
CONFIG = {"task": "toy", "task_version": 1, "method": "rtn", "net": NET, "eval_batch": 8, "budget": WHOLE}
METHOD = {
    "name": "rtn",
    "family": "quantization",
    "control": None,
    "knobs": ["bits"],
    "digest": digest(CONFIG),
    "budget": "recovery",
}
RUN = ORIGIN | {"seed": 0, "dense": "c0", "failure": None, "skipped": None}
FAILED = ORIGIN | {"seed": 0, "dense": "c0", "result": None, "failure": "no room", "skipped": None}
DENSE = ORIGIN | {"seed": 0, "checkpoint": "c0", "quality": 0.5, "bytes": 40}
SAME = {
    "division": "closed",
    "config": CONFIG,
    "provenance": {digest(MADE): MADE},
    "verified": [],
    "dense": [DENSE],
}


def points(result):
    return [{"strength": [4.0], "runs": [RUN | {"result": result}]}, {"strength": [2.0], "runs": [FAILED]}]


def timed(one):
    return {"one": one | {"batch": 1}, "batch": one | {"batch": 8}}


OLD = SAME | {
    "schema": 3,
    "task": TASK,
    "method": METHOD,
    "points": points(RESULT | {"memory_bytes": 4096, "latency": timed(LATENCY), "cost": COST}),
}
NEW = SAME | {
    "schema": 4,
    "protocol": 1,
    "tuning": None,
    "task": TASK | {"margin": None, "window": None, "clusters": None},
    "method": METHOD | {"reference": "dense"},
    "points": points(
        RESULT
        | {"memory_bytes": None, "compiled_memory_bytes": 4096, "payload": None, "weight_bits": None}
        | {"latency": timed(TIMED), "cost": COST | {"calibration_drawn": None}}
    ),
}


def test_every_field_by_hand():
    before = copy.deepcopy(OLD)
    assert migrated(OLD) == NEW
    assert before == OLD


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "results" / "toy" / f"rtn-{digest(CONFIG)}.json"
    path.parent.mkdir(parents=True)
    return path


def test_files_are_rewritten_once(path, capsys):
    path.write_text(json.dumps(OLD))
    assert migrate.main([f"--results={path.parents[1]}"]) == 0
    assert [child.name for child in path.parent.iterdir()] == [path.name]
    assert json.loads(path.read_text()) == NEW
    (one,), refused = files.read_all(path.parents[1])
    assert (one.protocol, one.points[0].runs[0].result.latency.batch.batch, refused) == (1, 8, [])
    before = path.stat()
    assert migrate.main([f"--results={path.parents[1]}"]) == 0
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"task": 3}, "is no record of schema 3: TypeError"),
        ({"points": [{}]}, "is no record of schema 3: KeyError"),
        ({"dense": []}, "length >= 1"),
        ({"dense": [DENSE | {"checkpoint": "d0"}]}, "started from c0"),
    ],
)
def test_what_cannot_be_rewritten_is_left_and_named(path, capsys, changes, what):
    path.write_text(json.dumps(OLD | changes))
    assert migrate.main([f"--results={path.parents[1]}"]) == 2
    assert json.loads(path.read_text()) == OLD | changes
    error = capsys.readouterr().err
    assert what in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1
