"""Records made by hand: ten test examples right or wrong, or four with a loss. A site of some of them, in a browser."""

import msgspec
import pytest

from leaderboard.record.canonical import digest as digest_of
from leaderboard.record.schema import (
    PROTOCOL,
    SCHEMA,
    Cost,
    Dense,
    Latencies,
    Latency,
    MethodInfo,
    Point,
    Provenance,
    Quartiles,
    Record,
    Result,
    Run,
    TaskInfo,
)
from tests.leaderboard.site.browser import Browser, site
from tests.leaderboard.submitted import entered, run, workdir

__all__ = ["entered", "run", "workdir"]

TASK = {
    "name": "toy",
    "version": 1,
    "modality": "vision",
    "source": "synthetic: drawn in a test",
    "fingerprint": "f00d",
    "rows": {"train": 40, "valid": 10, "test": 10, "calibration": 8},
    "metric": "accuracy",
    "outcome": "correct",
    "higher_is_better": True,
    "eval_batch": 8,
    "reach": 0.85,
    "reference": 0.5,
    "controls": {"nearest mean": 0.5},
    "margin": 0.01,
    "window": [625, 40_000],
    "clusters": None,
}
LOSS = TASK | {
    "name": "text",
    "rows": {"test": 4},
    "metric": "bits",
    "outcome": "loss",
    "higher_is_better": False,
    "reach": 2.1,
    "reference": 3.0,
    "margin": 0.04,
}
NET = {"name": "Net", "fields": {"width": 8}}
WHOLE = {"dense": 1.0, "recovery": 1.0, "batch": 1.0, "examples": 1.0}
PROVENANCE = Provenance(
    command="python",
    commit="0" * 40,
    dirty=False,
    outside=[],
    libraries={"jax": "1"},
    device="cpu x86_64 ×1",
    settings={"JAX_ENABLE_X64": "0"},
)
MADE = digest_of(msgspec.to_builtins(PROVENANCE))
"""Its key in the records."""


def timed(batch: int, own: float, dense: float) -> Latency:
    """The middle half of the paired ratios is within 10 % of their median."""
    ratio = dense / own
    speedup = Quartiles(median=ratio, low=0.9 * ratio, high=1.1 * ratio)
    times = {"median_ms": own, "p95_ms": 1.25 * own, "dense_median_ms": dense, "compile_s": 0.1}
    return Latency(batch=batch, **times, speedup=speedup, rounds=30)


def result(quality: float, size: int, outcome: str = "correct", **changes) -> Result:
    right = round(quality * 10)
    values = {
        "quality": quality,
        "valid_quality": 0.5,
        "outcomes": "1" * right + "0" * (10 - right) if outcome == "correct" else [quality] * 4,
        "artifact": "ab" * 32,
        "bytes": size,
        "parameters": 1000,
        "density": 1.0,
        "macs": 1_234_000,
        "effective_macs": 1_234_000.0,
        "bops": 4e9,
        "execution": "simulated",
        "latency": Latencies(
            one=timed(1, 0.5, 0.9),
            batch=timed(8, 2.0, 1.0),
        ),
        "payload": max(1, size - 200),
        "weight_bits": 4.0,
        "memory_bytes": 4096,
        "compiled_memory_bytes": None,
        "cost": Cost(
            seconds=12.0,
            compile_s=1.0,
            cached=0,
            starts=1,
            steps=300,
            labelled_examples=9600,
            calibration_examples=8,
            calibration_drawn=16,
            teacher_forwards=0,
        ),
        "output_error": 0.0,
        "notes": [],
    }
    return Result(**values | changes)


def make(
    points,
    *,
    task=TASK,
    method="rtn",
    digest=None,
    knobs=("bits",),
    control=None,
    dense=None,
    nets="c",
    made=PROVENANCE,
    budget="none",
    **changes,
) -> Record:
    """`points`: {strength: {seed: (quality, bytes), a Result, why it failed, or [why it was skipped]}}; `dense`:
    {seed: quality}. The dense net of seed 3 is the checkpoint "c3", of 40 000 bytes. `digest`: of the config if it is
    None; a record with another one is refused where it is read.
    """
    dense = dense or {seed: 0.9 for runs in points.values() for seed in runs}
    key = digest_of(msgspec.to_builtins(made))
    origin = {"identity": "1d", "provenance": key}

    def run(seed, outcome):
        failure = outcome if isinstance(outcome, str) else None
        skipped = outcome[0] if isinstance(outcome, list) else None
        done = result(*outcome, task["outcome"]) if type(outcome) is tuple else outcome
        done = None if failure or skipped else done
        return Run(seed=seed, dense=f"{nets}{seed}", result=done, failure=failure, skipped=skipped, **origin)

    shares = WHOLE | ({"recovery": 2.0} if changes.get("division") == "open" else {})
    options = {"options": {"axis": -1, "ratio": 0.5, "names": ["ä", "b"], "none": None}}
    config = {"task": task["name"], "task_version": task["version"], "method": method}
    config |= {"net": NET, "eval_batch": task["eval_batch"], "budget": shares}
    config |= changes.pop("config", options)
    values = {
        "schema": SCHEMA,
        "protocol": PROTOCOL,
        "tuning": None,
        "task": TaskInfo(**task),
        "method": MethodInfo(
            name=method,
            family="dense" if method in ("dense", "finetuned") else "quantization",
            control=control,
            knobs=list(knobs),
            digest=digest or digest_of(config),
            budget=budget,
            reference="dense" if budget == "none" or method == "finetuned" else "finetuned",
        ),
        "division": "closed",
        "config": config,
        "provenance": {key: made},
        "verified": [],
        "dense": [Dense(seed=s, checkpoint=f"{nets}{s}", quality=q, bytes=40_000, **origin) for s, q in dense.items()],
        "points": [
            Point(
                strength=[float(x) for x in (strength if isinstance(strength, tuple) else (strength,))],
                runs=[run(seed, outcome) for seed, outcome in runs.items()],
            )
            for strength, runs in points.items()
        ],
    }
    return Record(**values | changes)


@pytest.fixture(scope="session")
def toy():
    """`make`, with its pieces: `toy(...)`, `toy.result(...)`, `toy.timed(...)`, `toy.task`, `toy.loss`."""
    make.result, make.timed, make.task, make.loss, make.provenance = result, timed, TASK, LOSS, PROVENANCE
    return make


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.driver.quit()


@pytest.fixture(scope="session")
def records(toy):
    """By hand. toy: rtn at 8 and 4 bits, lsq at 4, random pruning, dense, and magnitude of an older version."""
    task = toy.task | {"version": 2}
    right = {("rtn", 0): "1111111100", ("rtn", 1): "1111111000", ("lsq", 0): "0111111111", ("lsq", 1): "1111111000"}

    def run(method, seed, size, **changes):
        outcomes = right[method, seed]
        return toy.result(outcomes.count("1") / 10, size, outcomes=outcomes, **changes)

    rtn = {8: {0: (0.9, 9000), 1: (0.9, 9000)}, 4: {s: run("rtn", s, 5000, effective_macs=2e6) for s in (0, 1)}}
    return [
        toy(rtn, task=task),
        toy({4: {s: run("lsq", s, 5500) for s in (0, 1)}}, task=task, method="lsq"),
        toy({0.5: {0: (0.6, 20_000), 1: "diverged at step 7"}}, task=task, method="random", knobs=("sparsity",)),
        toy({(): {0: (0.9, 40_000), 1: (0.9, 40_000)}}, task=task, method="dense", knobs=()),
        toy({0.5: {0: (0.5, 20_000)}}, method="magnitude", knobs=("sparsity",)),
        toy({8: {0: (2.0, 5000)}, 4: {0: (2.5, 3000)}}, task=toy.loss),
    ]


@pytest.fixture(scope="session")
def path(records, tmp_path_factory):
    return site(tmp_path_factory.mktemp("site"), records)
