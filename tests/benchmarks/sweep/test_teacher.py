"""A task with a larger net as its teacher: trained where a method asks for it, it teaches, and the record names it."""

import dataclasses
import json

import pytest

from benchmarks.plan.config import Budget, Config, Loop
from benchmarks.plan.job import Job
from benchmarks.plan.recipes import curve_config
from benchmarks.sweep import units
from benchmarks.sweep.sweep import sweep
from leaderboard.record import files as record
from tasks import TASKS

WIDE = (8, 8)


@pytest.fixture
def taught(tiny, monkeypatch):
    task = dataclasses.replace(tiny, teacher=tiny.net.clone(channels=WIDE))
    monkeypatch.setitem(TASKS, task.name, task)
    return task


def config(*methods):
    facts = {"seeds": (0,), "tuning": False, "budget": Budget(0.5, 0.5), "loop": Loop(log_every=3)}
    return Config(("tiny",), methods, {"kd": ((0.5,),)}, **facts)


def test_the_larger_net_teaches(taught, tmp_path, monkeypatch):
    seen, run = [], units.run_point

    def spied(setting, job, nets, *rest):
        seen.append(nets.teacher)
        return run(setting, job, nets, *rest)

    monkeypatch.setattr(units, "run_point", spied)
    _, path = sweep(config("dense", "kd"), tmp_path, "test").records
    nobody, teacher = seen
    assert nobody is None
    assert teacher.net.channels == WIDE
    assert teacher.variables["params"]["conv2"]["kernel"].shape[-1] == 8
    written = record.read(path)
    assert written.config["teacher"]["fields"]["channels"] == list(WIDE)
    assert written.points[0].runs[0].result.cost.teacher_forwards == (6 + 3) * 8
    (folder,) = (tmp_path / "tiny").glob("teacher-*")
    assert json.loads((folder / "seed0" / "dense.json").read_text())["bytes"] > written.dense[0].bytes


def test_it_is_not_trained_for_those_that_do_not_ask(taught, tmp_path):
    sweep(config("dense"), tmp_path, "test")
    assert not list((tmp_path / "tiny").glob("teacher-*"))


def test_only_the_taught_have_another_config(taught, tiny, monkeypatch):
    def of(name):
        return curve_config(Job(kind="point", task="tiny", method=name, seed=0, budget=Budget(), loop=Loop()))

    with_teacher = {name: of(name) for name in ("kd", "student")}
    monkeypatch.setitem(TASKS, "tiny", tiny)
    assert with_teacher["student"] == of("student")
    assert with_teacher["kd"] != of("kd")
