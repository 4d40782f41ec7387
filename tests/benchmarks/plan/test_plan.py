"""From a config to jobs: in order, each after the nets that it starts from; what cannot run is left out, and why."""

import dataclasses
import json

import msgspec
import pytest

from benchmarks.plan.config import Budget, Config, Loop
from benchmarks.plan.estimate import described
from benchmarks.plan.plan import Job, curve_config, lacks, plan
from methods import METHODS
from tasks import TASKS

GRID = Config(("digits",), ("dense", "kd"), {"kd": ((0.5,), (0.25,))}, seeds=(3, 4), budget=Budget(recovery=0.5))


def test_jobs_are_in_order_and_wait_for_the_nets_of_their_seed():
    jobs, skipped = plan(GRID)
    assert skipped == ()
    assert [job.name for job in jobs] == [
        "digits/dense net/seed3",
        "digits/dense net/seed4",
        "digits/dense/seed3",
        "digits/dense/seed4",
        "digits/kd/0.5/seed3",
        "digits/kd/0.5/seed4",
        "digits/kd/0.25/seed3",
        "digits/kd/0.25/seed4",
    ]
    assert [job.steps for job in jobs] == [900, 900, 0, 0, 450, 450, 450, 450]
    assert jobs[4].after == ("digits/dense net/seed3",)
    assert jobs[4].options == {"temperature": 4.0, "alpha": 0.9}


def test_teachers_are_jobs_where_a_method_wants_them(monkeypatch):
    digits = TASKS["digits"]
    teacher = digits.net.clone(hidden=256)
    monkeypatch.setitem(TASKS, "digits", dataclasses.replace(digits, teacher=teacher))
    jobs = plan(GRID).jobs
    assert [job.name for job in jobs if job.kind == "teacher"] == ["digits/teacher/seed3", "digits/teacher/seed4"]
    kd, dense = (next(job for job in jobs if job.kind == "point" and job.method == name) for name in ("kd", "dense"))
    assert kd.after == ("digits/dense net/seed3", "digits/teacher/seed3")
    assert dense.after == ("digits/dense net/seed3",)
    assert not [job for job in plan(msgspec.structs.replace(GRID, methods=("rtn",))).jobs if job.kind == "teacher"]


def test_a_job_is_names_and_numbers_that_survive_json():
    for job in plan(GRID).jobs:
        assert msgspec.json.decode(msgspec.json.encode(job), type=Job) == job


def test_what_a_task_does_not_offer_is_said(monkeypatch):
    task = dataclasses.replace(TASKS["digits"], offers=frozenset())
    assert lacks(task, METHODS["kd"].about) == "its outputs are not logits of two or more classes"
    assert lacks(task, METHODS["channels"].about) is None
    monkeypatch.setitem(TASKS, "digits", task)
    jobs, (left_out,) = plan(GRID)
    assert {job.method for job in jobs} == {"dense"}
    assert left_out.jobs[0].name == "digits/kd/0.5/seed3"


def test_the_config_of_a_curve_says_what_was_asked_and_nothing_of_the_grid():
    config = curve_config("digits", "kd", {"temperature": 4.0, "alpha": 0.9}, Budget(recovery=0.5))
    assert json.loads(json.dumps(config)) == config
    assert (config["dense"]["steps"], config["recovery"]["steps"], config["eval_batch"]) == (900, 450, 200)
    assert config["budget"] == {"dense": 1.0, "recovery": 0.5, "batch": 1.0, "examples": 1.0}
    assert config["net"]["name"] == "ConvNet"
    assert curve_config("digits", "rtn", {}, Budget())["recovery"] is None


def test_a_plan_is_described_with_counts_and_an_estimate():
    lines = described(plan(msgspec.structs.replace(GRID, loop=Loop(log_every=7)))).splitlines()
    assert lines[0].split() == ["digits", "dense", "net", "2", "jobs", "1800", "steps", "seeds", "3,4"]
    assert lines[2].split("  ")[-1] == "strengths 0.5, 0.25; seeds 3,4"
    assert lines[-1].startswith("8 jobs (2 dense, 6 point), 3600 steps; about ")
    assert lines[-1].endswith(" minutes of training by the board's records, compiling and measuring apart")


def test_a_task_without_records_has_no_estimate(tiny, monkeypatch):
    monkeypatch.setitem(TASKS, "tiny", tiny)
    said = described(plan(Config(("tiny",), ("dense",), seeds=(0,))))
    assert said.endswith("; unknown for tiny")


@pytest.mark.parametrize("method", METHODS)
def test_every_method_runs_on_every_task_of_the_suite(method):
    assert {lacks(task, METHODS[method].about) for task in TASKS.values()} == {None}
