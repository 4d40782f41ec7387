"""A nested curve is one trajectory: each strength goes on from the net of the milder one, and pays for all of them."""

import json

import jax
import numpy as np
import pytest
from msgspec.structs import replace

from benchmarks.artifact.file import read_artifact
from benchmarks.plan.config import Config
from benchmarks.plan.plan import plan
from benchmarks.plan.recipes import curve_config
from benchmarks.sweep import units
from benchmarks.sweep.job import run_job
from benchmarks.sweep.sweep import sweep
from benchmarks.verify.__main__ import plan_of
from leaderboard.record import files as record
from leaderboard.record.files import RecordError
from methods import METHODS
from methods.base import Description, Entry, Knob, Method, State
from methods.paths import flatten
from tasks import TASKS

GRID = Config(("tiny",), ("step",), {"step": ((0.875,), (0.5,), (0.75,))}, seeds=(0,), tuning=False)


@pytest.fixture
def seen(tiny, monkeypatch):
    """(strength, weights) with which each run of the nested method `step` starts."""
    found = []

    def init(key, problem, variables, strength):
        found.append((float(strength[0]), jax.device_get(variables["params"])))
        return problem.net, variables, State()

    about = Description("pruning", (Knob("sparsity", 0, 1),), ((0.5,), (0.75,)), budget="full", nested=True)
    monkeypatch.setitem(TASKS, "tiny", tiny)
    monkeypatch.setitem(METHODS, "step", Entry(lambda: Method(init=init), about))
    return found


def only(workdir, pattern):
    (file,) = workdir.glob(f"tiny/{pattern}")
    return file


def shipped(workdir, pattern):
    return read_artifact(only(workdir, f"{pattern}/seed0/artifact.slim")).shipped.variables["params"]


def same(a, b):
    a, b = flatten(a), flatten(b)
    return a.keys() == b.keys() and all(np.array_equal(a[path], b[path]) for path in a)


def test_jobs_come_mildest_first_and_each_waits_for_the_one_before(seen):
    *_, first, second, third = plan(GRID).jobs
    assert [job.strength for job in (first, second, third)] == [(0.5,), (0.75,), (0.875,)]
    assert first.previous is None
    assert first.after == ("tiny/dense net/seed0",)
    assert second.after == ("tiny/dense net/seed0", "tiny/step/0.5/seed0")
    assert third.after == ("tiny/dense net/seed0", "tiny/step/0.75/seed0")
    assert [job.steps for job in (first, second, third)] == [18, 18, 18]
    assert curve_config(third)["trajectory"] == [[0.5], [0.75], [0.875]]


def test_each_goes_on_from_what_the_one_before_shipped_and_pays_for_all(seen, tmp_path):
    (file,) = sweep(GRID, tmp_path, "test").records
    _, first, second, third = seen  # the first of all is tried on the untrained net
    assert [strength for strength, _ in (first, second, third)] == [0.5, 0.75, 0.875]
    assert same(first[1], shipped(tmp_path, "dense-net-*"))
    assert same(second[1], shipped(tmp_path, "step-*/0.5"))
    assert same(third[1], shipped(tmp_path, "step-*/0.75"))
    found = record.read(file)
    costs = [point.runs[0].result.cost for point in found.points]
    assert [cost.steps for cost in costs] == [18, 36, 54]
    assert [cost.labelled_examples for cost in costs] == [18 * 8, 36 * 8, 54 * 8]
    assert costs[0].seconds < costs[1].seconds < costs[2].seconds
    assert [cost.starts for cost in costs] == [1, 2, 3]
    assert (found.division, found.method.budget) == ("open", "full")


def test_a_record_of_it_is_open(seen, tmp_path):
    (file,) = sweep(GRID, tmp_path, "test").records
    values = json.loads(file.read_text()) | {"division": "closed"}
    file.write_text(json.dumps(values))
    with pytest.raises(RecordError, match=r"must be 'open' by `\$\.config\.trajectory`"):
        record.read(file)


def test_other_strengths_are_another_trajectory(seen, tmp_path):
    one, two = replace(GRID, strengths={"step": ((0.875,),)}), GRID
    files = {sweep(config, tmp_path, "test").records[0] for config in (one, two)}
    assert len(files) == 2
    assert len(list(tmp_path.glob("tiny/step-*/0.875"))) == 2


def test_it_can_be_verified_with_all_that_it_goes_on_from(seen, tmp_path):
    (file,) = sweep(GRID, tmp_path, "test").records
    found = record.read(file)
    names = [job.name for job in plan_of(found, found.points[1], 0).jobs]
    assert names == ["tiny/dense net/seed0", "tiny/step/0.5/seed0", "tiny/step/0.75/seed0"]


def test_nothing_runs_before_what_it_waits_for(seen, tmp_path):
    net, first, second, _ = plan(GRID).jobs
    assert run_job(first, tmp_path, "test") == "waiting"
    assert run_job(net, tmp_path, "test") == "done"
    assert run_job(second, tmp_path, "test") == "waiting"
    assert run_job(first, tmp_path, "test") == run_job(second, tmp_path, "test") == "done"


def test_where_one_failed_so_do_the_later_ones_and_a_retry_mends_them(seen, monkeypatch, tmp_path):
    run, broken = units.run_point, [True]

    def failing(setting, job, *rest):
        if broken and job.strength == (0.5,):
            raise MemoryError("out of memory")
        return run(setting, job, *rest)

    monkeypatch.setattr(units, "run_point", failing)
    done = sweep(GRID, tmp_path, "test")
    assert done.failed == [f"tiny/step/{strength}/seed0" for strength in (0.5, 0.75, 0.875)]
    reasons = [point.runs[0].failure for point in record.read(done.records[0]).points]
    assert reasons[1] == "Missing: step 0.5 seed 0, from which it goes on, failed: MemoryError: out of memory"
    assert reasons[2].startswith("Missing: step 0.75 seed 0, from which it goes on, failed: Missing: step 0.5")
    broken.clear()
    assert sweep(GRID, tmp_path, "test", retry=True).failed == []


def test_what_went_on_from_another_artifact_is_made_again(seen, tmp_path, capsys):
    sweep(GRID, tmp_path, "test")
    file = only(tmp_path, "step-*/0.75/seed0/run.json")
    values = json.loads(file.read_text())
    file.write_text(json.dumps(values | {"previous": "0" * 64}))
    capsys.readouterr()
    sweep(GRID, tmp_path, "test")
    assert f"it went on from {'0' * 64}" in capsys.readouterr().err
    assert json.loads(file.read_text())["previous"] == values["previous"]


def test_it_does_not_go_on_from_a_damaged_artifact(seen, tmp_path):
    sweep(GRID, tmp_path, "test")
    only(tmp_path, "step-*/0.875/seed0/run.json").unlink()
    artifact = only(tmp_path, "step-*/0.75/seed0/artifact.slim")
    artifact.write_bytes(artifact.read_bytes()[:-1])
    done = sweep(GRID, tmp_path, "test")
    assert done.failed == ["tiny/step/0.875/seed0"]
    assert "its artifact is not the one that was measured" in record.read(done.records[0]).points[-1].runs[0].failure
    assert sweep(GRID, tmp_path, "test", retry=True).failed == []
