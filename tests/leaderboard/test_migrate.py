"""Records of schema 2 become records of schema 3, and say the same."""

import copy
import hashlib
import json

import pytest

from leaderboard import migrate
from leaderboard.migrate import migrated
from leaderboard.record import files
from tests.leaderboard.conftest import NET, WHOLE

KNOWN = {"toy": {"net": NET, "reference": 0.1}}
LATENCY = {"median_ms": 0.5, "p95_ms": 0.6, "dense_median_ms": 0.9, "compile_s": 0.1}
COST = {
    "seconds": 12.0,
    "compile_s": 1.0,
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
    "memory_bytes": 4096,
    "output_error": 0.0,
    "notes": [],
}
MADE = {"command": "python", "commit": "0" * 40, "dirty": False, "libraries": {"jax": "1"}, "device": "cpu"}
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
    "controls": {},
}
CONFIG = {"task": "toy", "task_version": 1, "method": "rtn", "options": {}}
DENSE = {"seed": 0, "checkpoint": "c0", "quality": 0.5, "bytes": 40}
FOUND = {"seed": 0, "strength": 4.0, "quality": 0.5, "tolerance": 0.1, "device": "cpu", "commit": "1" * 40}
OLD = {
    "schema": 2,
    "task": TASK,
    "method": {
        "name": "rtn",
        "family": "quantization",
        "control": None,
        "knob": "bits",
        "digest": "0a1b2c3d",
        "recovers": True,
    },
    "division": "closed",
    "config": CONFIG,
    "provenance": MADE,
    "verified": [FOUND],
    "dense": [DENSE],
    "points": [
        {
            "strength": 4.0,
            "runs": [
                {
                    "seed": 0,
                    "dense": "c0",
                    "result": RESULT | {"latency": [LATENCY | {"batch": 1}, LATENCY | {"batch": 8}], "cost": COST},
                    "failure": None,
                }
            ],
        },
        {"strength": 2.0, "runs": [{"seed": 0, "dense": "c0", "result": None, "failure": "no room"}]},
    ],
}


def sha(value):
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]


def test_every_field_by_hand():
    made = MADE | {"outside": [], "settings": None}
    origin = {"identity": None, "provenance": sha(made)}
    config = CONFIG | {"net": NET, "eval_batch": 8, "budget": WHOLE}
    latency = {"one": LATENCY | {"batch": 1}, "batch": LATENCY | {"batch": 8}}
    result = RESULT | {"latency": latency, "cost": COST | {"starts": None, "cached": None}}
    before = copy.deepcopy(OLD)
    assert migrated(OLD, KNOWN) == {
        "schema": 3,
        "task": TASK | {"reference": 0.1},
        "method": {
            "name": "rtn",
            "family": "quantization",
            "control": None,
            "knobs": ["bits"],
            "digest": sha(config),
            "budget": "recovery",
        },
        "division": "closed",
        "config": config,
        "provenance": {sha(made): made},
        "verified": [FOUND | {"strength": [4.0]}],
        "dense": [DENSE | origin],
        "points": [
            {
                "strength": [4.0],
                "runs": [origin | {"seed": 0, "dense": "c0", "result": result, "failure": None, "skipped": None}],
            },
            {
                "strength": [2.0],
                "runs": [origin | {"seed": 0, "dense": "c0", "result": None, "failure": "no room", "skipped": None}],
            },
        ],
    }
    assert before == OLD


def test_no_knob_and_several():
    dense = OLD | {"method": OLD["method"] | {"name": "dense", "knob": "none", "recovers": False}}
    dense |= {"points": [OLD["points"][0] | {"strength": 0.0}], "verified": [FOUND | {"strength": 0.0}]}
    new = migrated(dense, KNOWN)
    assert (new["method"]["knobs"], new["method"]["budget"]) == ([], "none")
    assert (new["points"][0]["strength"], new["verified"][0]["strength"]) == ([], [])
    chain = OLD | {"method": OLD["method"] | {"knob": "sparsity, bits"}, "verified": []}
    chain |= {"points": [OLD["points"][0] | {"strength": [0.5, 4.0]}]}
    new = migrated(chain, KNOWN)
    assert (new["method"]["knobs"], new["points"][0]["strength"]) == (["sparsity", "bits"], [0.5, 4.0])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    known = tmp_path / "known.json"
    known.write_text(json.dumps(KNOWN))
    monkeypatch.setattr(migrate, "TASKS", known)
    (tmp_path / "results" / "toy").mkdir(parents=True)
    return tmp_path / "results"


def test_files_are_renamed_once(folder, capsys):
    (folder / "toy" / "rtn-0a1b2c3d.json").write_text(json.dumps(OLD))
    assert migrate.main([f"--results={folder}"]) == 0
    new = migrated(OLD, KNOWN)
    path = folder / "toy" / f"rtn-{new['method']['digest']}.json"
    assert list(folder.rglob("*")) == [folder / "toy", path]
    assert json.loads(path.read_text()) == new
    (one,), _ = files.read_all(folder)
    assert one.points[0].runs[0].result.latency.batch.batch == 8
    before = path.stat()
    assert migrate.main([f"--results={folder}"]) == 0
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"division": "open"}, "a record of the open division does not say its budget"),
        ({"task": TASK | {"name": "other"}}, "the net of 'other' is not known"),
        ({"dense": 3}, "is no record of schema 2: TypeError"),
        ({"verified": [{}]}, "is no record of schema 2: KeyError"),
        ({"dense": []}, "length >= 1"),
        ({"dense": [DENSE | {"checkpoint": "d0"}]}, "started from c0"),
    ],
)
def test_what_cannot_be_rewritten_is_left_and_named(folder, capsys, changes, what):
    path = folder / "toy" / "rtn-0a1b2c3d.json"
    path.write_text(json.dumps(OLD | changes))
    assert migrate.main([f"--results={folder}"]) == 2
    assert json.loads(path.read_text()) == OLD | changes
    error = capsys.readouterr().err
    assert what in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1
