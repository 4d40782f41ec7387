"""How long the board takes to build from many records, and its peak memory: `python -m benchmarks.speed --leaderboard`.

The records are made up: 20 tasks with tests as large as the suite's, 25 methods in 20 configurations each, five
strengths, three seeds.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from leaderboard.record.canonical import digest
from leaderboard.record.schema import PROTOCOL, SCHEMA

ROOT = Path(__file__).parents[2]
RECORDS, SECONDS, GIGABYTES = 10_000, 60.0, 2.0
"""What is built from, and what that may take."""
TESTS = (10_000, 1000, -300, 1000, 10_000, 1000, -300, 1000, 10_000, 1000) * 2
"""Test examples of each task, negative where their outcomes are losses."""
STRENGTHS, SEEDS, METHODS = (2.0, 3.0, 4.0, 6.0, 8.0), (0, 1, 2), 25
MADE = {"command": "", "commit": "0" * 40, "dirty": False, "libraries": {}, "device": "none"}
MADE |= {"outside": [], "settings": None}
ORIGIN = {"identity": None, "provenance": digest(MADE)}
CONFIG = {
    "net": {"name": "none", "fields": {}},
    "eval_batch": 100,
    "budget": {"dense": 1.0, "recovery": 1.0, "batch": 1.0, "examples": 1.0},
}


class Built(NamedTuple):
    """What building the board took."""

    seconds: float
    gigabytes: float  # most that was resident

    def kept(self) -> bool:
        """Returns whether both bounds are kept."""
        return self.seconds < SECONDS and self.gigabytes < GIGABYTES


def build() -> Built:
    """Makes up RECORDS in a temporary folder and builds the board from them, in a process of its own."""
    with TemporaryDirectory() as folder:
        results = Path(folder) / "results"
        for name, made in made_up(RECORDS):
            path = results / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(made), "utf-8")
        command = [sys.executable, "-m", "leaderboard.build", f"--results={results}", f"--out={folder}/board.md"]
        begun = time.perf_counter()
        subprocess.run(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)
        seconds = time.perf_counter() - begun
    return Built(seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9)


def made_up(records: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields (path, record), task by task."""
    rng = np.random.default_rng(0)
    for i in range(records):
        task, entry = i % len(TESTS), i // len(TESTS)
        made = _record(rng, task, entry)
        yield f"{made['task']['name']}/{made['method']['name']}-{made['method']['digest']}.json", made


def _record(rng, task, entry):
    """A method's own skill shifts what it gets right; more bits help."""
    name = "dense" if entry == 0 else f"method{entry % METHODS}"
    skill = rng.normal(0, 0.02)
    config = CONFIG | {"task": f"task{task}", "task_version": 1, "method": name, "options": {"entry": entry}}
    points = [
        {
            "strength": [] if strength is None else [strength],
            "runs": [_run(rng, task, seed, skill, strength) for seed in SEEDS],
        }
        for strength in ((None,) if name == "dense" else STRENGTHS)
    ]
    return {
        "schema": SCHEMA,
        "protocol": PROTOCOL,
        "tuning": None,
        "task": _task(task),
        "method": {
            "name": name,
            "family": "made up",
            "control": None if name == "method1" else "method1",
            "reference": "dense",
            "knobs": [] if name == "dense" else ["bits"],
            "digest": digest(config),
            "budget": "none",
        },
        "division": "closed",
        "config": config,
        "provenance": {digest(MADE): MADE},
        "verified": [],
        "dense": [ORIGIN | {"seed": s, "checkpoint": f"{task:x}-{s}", "quality": 0.9, "bytes": 40_000} for s in SEEDS],
        "points": points,
    }


def _task(task):
    losses = TESTS[task] < 0
    return {
        "name": f"task{task}",
        "version": 1,
        "modality": "none",
        "source": "made up",
        "fingerprint": "f00d",
        "rows": {"test": abs(TESTS[task])},
        "metric": "nats" if losses else "accuracy",
        "outcome": "loss" if losses else "correct",
        "higher_is_better": not losses,
        "eval_batch": 100,
        "reach": 0.9,
        "reference": 3.0 if losses else 0.1,
        "controls": {"chance": 3.0 if losses else 0.1},
        "margin": 0.01,
        "window": [10_000, 40_000],
        "clusters": None,
    }


def _outcomes(rng, task, skill, strength):
    """Outcomes of a run, and their mean; without a strength those of the dense net, whose mean is 0.9."""
    examples, losses = abs(TESTS[task]), TESTS[task] < 0
    if strength is None:
        return ([0.9] * examples if losses else "1" * (examples * 9 // 10) + "0" * (examples // 10)), 0.9
    worse = 0.1 + 0.4 / strength**2 + skill
    if losses:
        outcomes = [round(value, 5) for value in (worse + rng.random(examples)).tolist()]
        return outcomes, sum(outcomes) / examples
    right = rng.random(examples, np.float32) > worse
    return (right + ord("0")).astype(np.uint8).tobytes().decode(), float(right.mean())


def _run(rng, task, seed, skill, strength):
    outcomes, quality = _outcomes(rng, task, skill, strength)
    latency = {"median_ms": 1.0 + rng.random(), "p95_ms": 2.0, "dense_median_ms": 1.5, "compile_s": 0.1}
    latency |= {"speedup": {"median": 1.0, "low": 0.9, "high": 1.1}, "rounds": 30}
    size = int(5000 * (strength or 8) * (1 + rng.random() / 10))
    result = {
        "quality": quality,
        "valid_quality": quality,
        "outcomes": outcomes,
        "artifact": "ab" * 32,
        "bytes": size,
        "payload": size,
        "weight_bits": strength or 32.0,
        "parameters": 10_000,
        "density": 1.0,
        "macs": 1_000_000,
        "effective_macs": 1e6,
        "bops": 4e9,
        "execution": "deployed",
        "latency": {"one": latency | {"batch": 1}, "batch": latency | {"batch": 100}},
        "memory_bytes": 100_000,
        "compiled_memory_bytes": 100_000,
        "cost": {
            "seconds": 10.0,
            "compile_s": 1.0,
            "cached": None,
            "starts": None,
            "steps": 300,
            "labelled_examples": 9600,
            "calibration_examples": 0,
            "calibration_drawn": 0,
            "teacher_forwards": 0,
        },
        "output_error": 0.0,
        "notes": [],
    }
    return ORIGIN | {"seed": seed, "dense": f"{task:x}-{seed}", "result": result, "failure": None, "skipped": None}
