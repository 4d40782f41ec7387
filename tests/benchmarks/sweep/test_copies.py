"""A control waits for the run that it copies and takes its counts of weights; where that failed, so does it."""

import json

import jax
import numpy as np
import pytest
from msgspec.structs import replace

from benchmarks.artifact.file import read_artifact
from benchmarks.measure.counts import kept
from benchmarks.plan.config import Config
from benchmarks.sweep import units
from benchmarks.sweep.sweep import sweep
from leaderboard.record import files as record
from methods import METHODS
from methods.base import Description, Entry, Knob, Method, State
from methods.paths import flatten
from methods.transforms.grids import Quantized
from tasks import TASKS

UNIFORM = {"selector": "(^|/)(kernel|embedding)$", "allocation": "uniform"}
"""Options of magnitude pruning by which each layer keeps the same share."""
GRID = Config(
    ("tiny",), ("copy@magnitude",), {"magnitude": ((0.5,),)}, {"magnitude": UNIFORM}, seeds=(0,), tuning=False
)


@pytest.fixture
def seen(tiny, monkeypatch):
    """The `copied` that each run of a control was given."""
    found = []

    def copy():
        def init(key, problem, variables, strength):
            found.append(problem.copied)
            return problem.net, variables, State()

        return Method(init=init)

    about = Description("pruning", (Knob("sparsity", 0, 1),), ((0.5,),), copies="magnitude", control="magnitude")
    monkeypatch.setitem(TASKS, "tiny", tiny)
    monkeypatch.setitem(METHODS, "copy@magnitude", Entry(copy, about))
    return found


def only(workdir, pattern):
    (file,) = workdir.glob(f"tiny/{pattern}")
    return file


def counts(workdir):
    file = only(workdir, "magnitude-*/0.5/seed0/artifact.slim")
    leaves = flatten(read_artifact(file).shipped.variables["params"])
    return {path: np.count_nonzero(leaf) for path, leaf in leaves.items()}


def test_it_takes_the_counts_of_the_run_that_was_added(seen, tmp_path):
    done = sweep(GRID, tmp_path, "test")
    assert [path.name.rpartition("-")[0] for path in done.records] == ["magnitude", "copy@magnitude"]
    tried, given = seen
    assert given == counts(tmp_path)
    assert given["dense1/kernel"] == 16 * 8 / 2
    assert tried["dense1/kernel"] == 16 * 8  # on the untrained net, before anything is there to be copied
    control = record.read(done.records[1])
    assert control.config["copied"] == {"method": "magnitude", "options": UNIFORM}


def test_its_trials_copy_too(seen, monkeypatch, tmp_path):
    entry = METHODS["copy@magnitude"]
    about = entry.about._replace(budget="recovery", trials=((("rate", 1.0),), (("rate", 2.0),)))
    monkeypatch.setitem(METHODS, "copy@magnitude", entry._replace(about=about))
    monkeypatch.setitem(
        METHODS, "magnitude", METHODS["magnitude"]._replace(about=METHODS["magnitude"].about._replace(trials=()))
    )
    done = sweep(replace(GRID, tuning=True, seeds=(1,), strengths={"copy@magnitude": ((0.8,),)}), tmp_path, "test")
    assert done.failed == []
    magnitude, control = map(record.read, done.records)
    runs = [(point.strength, [run.seed for run in point.runs]) for point in magnitude.points]
    assert runs == [([0.8], [1]), ([0.9], [0])]  # what was asked for; what the trials copy
    assert [(point.strength, [run.seed for run in point.runs]) for point in control.points] == [([0.8], [1])]
    assert control.tuning.strength == [0.9]
    assert [given["dense1/kernel"] for given in seen] == [128, 13, 13, 25]


def test_another_run_to_copy_is_another_control(seen, tmp_path):
    def identity(**options):
        return record.read(sweep(replace(GRID, options={"magnitude": options}), tmp_path, "test").records[-1])

    first, second = identity(), identity(selector="kernel")
    assert first.points[0].runs[0].identity != second.points[0].runs[0].identity
    assert first.method.digest != second.method.digest


@pytest.fixture
def failing(seen, monkeypatch):
    """Magnitude pruning fails while the list is not empty."""
    run, broken = units.run_point, [True]

    def made(setting, job, *rest):
        if broken and job.method == "magnitude":
            raise MemoryError("out of memory")
        return run(setting, job, *rest)

    monkeypatch.setattr(units, "run_point", made)
    return broken


def test_where_the_copied_run_failed_the_control_fails_with_its_reason(failing, tmp_path):
    done = sweep(GRID, tmp_path, "test")
    assert done.failed == ["tiny/magnitude/0.5/seed0", "tiny/copy@magnitude/0.5/seed0"]
    reason = "Missing: magnitude 0.5 seed 0, which it copies, failed: MemoryError: out of memory"
    assert record.read(done.records[1]).points[0].runs[0].failure == reason
    failing.clear()
    assert sweep(GRID, tmp_path, "test").failed == done.failed
    assert sweep(GRID, tmp_path, "test", retry=True).failed == []


def test_a_control_of_another_artifact_is_made_again(seen, tmp_path, capsys):
    sweep(GRID, tmp_path, "test")
    file = only(tmp_path, "copy@magnitude-*/0.5/seed0/run.json")
    values = json.loads(file.read_text())
    file.write_text(json.dumps(values | {"copied": "0" * 64}))
    capsys.readouterr()
    sweep(GRID, tmp_path, "test")
    assert f"it copied the counts of {'0' * 64}" in capsys.readouterr().err
    assert json.loads(file.read_text())["copied"] == values["copied"]


def test_a_damaged_artifact_is_not_copied_and_its_run_is_made_again(seen, tmp_path):
    sweep(GRID, tmp_path, "test")
    only(tmp_path, "copy@magnitude-*/0.5/seed0/run.json").unlink()
    artifact = only(tmp_path, "magnitude-*/0.5/seed0/artifact.slim")
    artifact.write_bytes(artifact.read_bytes()[:-1])
    done = sweep(GRID, tmp_path, "test")
    assert done.failed == ["tiny/copy@magnitude/0.5/seed0"]
    assert "its artifact is not the one that was measured" in record.read(done.records[1]).points[0].runs[0].failure
    assert sweep(GRID, tmp_path, "test", retry=True).failed == []
    assert seen[-1] == counts(tmp_path)


def test_what_was_rounded_to_zero_is_kept_what_was_pruned_is_not():
    codes = np.int32([[0, 0, 3], [0, 1, 0]])
    scale = np.ones((1, 1), np.float32)
    leaf = Quantized(codes, scale, 0 * scale, bits=4, low=-8)
    params = {
        "a": {"kernel": leaf.replace(pruned=np.int32(2))},
        "b": {"kernel": leaf},
        "c": {"kernel": jax.numpy.float32([0, 2])},
    }
    assert kept(params) == {"a/kernel": 4, "b/kernel": 2, "c/kernel": 1}
