"""Faults: each is a recorded failure with its traceback in a file, and the rest of the grid goes on."""

import dataclasses

import jax.numpy as jnp
import pytest

from benchmarks.plan.config import Config
from benchmarks.sweep.sweep import sweep
from leaderboard.record import files as record
from methods import METHODS
from methods.base import Description, Entry, Knob, Method, State
from tasks import TASKS


@pytest.fixture
def known(tiny, monkeypatch):
    """known(**changes): the tiny task, changed, under a name of its own."""

    def add(**changes):
        task = dataclasses.replace(tiny, **changes)
        monkeypatch.setitem(TASKS, task.name, task)

    return add


def steep(out, batch):
    return jnp.sum(out**2, -1)


def runs(paths):
    return {found.method.name: found.points[0].runs[0] for found in map(record.read, paths)}


def test_a_run_that_diverges_is_recorded_as_failed(known, tiny, tmp_path, capsys):
    known(recovery=dataclasses.replace(tiny.recovery, learning_rate=1e38, optimizer="sgd"), loss=steep)
    config = Config(("tiny",), ("dense", "magnitude"), {"magnitude": ((0.5,),)}, seeds=(0,), tuning=False)
    done = sweep(config, tmp_path, "test")
    assert done.failed == ["tiny/magnitude/0.5/seed0"]
    found = runs(done.records)
    assert found["magnitude"].result is None
    assert found["magnitude"].failure.startswith("Diverged: loss is ")
    assert found["magnitude"].failure.endswith("at step 2")
    assert found["dense"].failure is None
    assert "FAILED" in capsys.readouterr().err
    assert not list(tmp_path.rglob("checkpoints*"))


def fragile(error):
    """A method whose `init` raises."""

    def init(key, problem, variables, strength):
        raise error

    about = Description("quantization", (Knob("bits", 2, 32),), ((8,), (4,)))
    return Entry(lambda: Method(init=init), about)


@pytest.mark.parametrize(
    "error",
    [ValueError("Hessian of conv1 is not positive definite"), MemoryError("out of memory"), KeyError("hiden/kernel")],
)
def test_an_exception_of_one_method_leaves_the_others_alone(known, monkeypatch, tmp_path, error):
    known()
    monkeypatch.setitem(METHODS, "fragile", fragile(error))
    config = Config(("tiny",), ("dense", "fragile", "rtn"), {"fragile": ((4,),), "rtn": ((4,),)}, seeds=(0,))
    done = sweep(config, tmp_path, "test")
    found = runs(done.records)
    assert found["fragile"].failure == f"{type(error).__name__}: {error}"
    assert found["dense"].failure is None
    assert found["rtn"].failure is None
    (traceback,) = tmp_path.rglob("failure.txt")
    assert "in init" in traceback.read_text()


def test_a_failure_is_kept_until_it_is_asked_for_again(known, monkeypatch, tmp_path):
    known()
    mended = tmp_path / "mended"

    def init(key, problem, variables, strength):
        if not mended.exists():
            raise ValueError("not yet")
        return problem.net, variables, State()

    flaky = fragile(ValueError())._replace(make=lambda: Method(init=init))
    monkeypatch.setitem(METHODS, "fragile", flaky)
    config = Config(("tiny",), ("fragile",), {"fragile": ((4,),)}, seeds=(0,))
    assert sweep(config, tmp_path, "test").failed
    mended.touch()
    assert sweep(config, tmp_path, "test").failed
    assert not sweep(config, tmp_path, "test", retry=True).failed
    assert not sweep(config, tmp_path, "test").failed
    assert not list(tmp_path.rglob("failure.txt"))


def test_a_dense_net_that_diverges_ends_neither_other_seeds_nor_other_tasks(known, tiny, tmp_path, capsys):
    known()
    known(name="wild", dense=dataclasses.replace(tiny.dense, learning_rate=1e38, optimizer="sgd"), loss=steep)
    config = Config(("wild", "tiny"), ("dense", "rtn"), {"rtn": ((4,),)}, seeds=(0,))
    done = sweep(config, tmp_path, "test")
    assert done.failed == ["wild/dense net/seed0", "wild/dense/seed0", "wild/rtn/4/seed0"]
    assert {path.parent.name for path in done.records} == {"tiny"}
    said = capsys.readouterr().err
    assert "wild dense net seed 0: FAILED: Diverged: loss is" in said
    assert "NOT RUN: the dense net that it starts from failed" in said


def test_a_method_that_a_task_cannot_have_is_skipped_with_the_reason(known, tmp_path, capsys):
    known(offers=frozenset())
    config = Config(("tiny",), ("rtn", "kd"), {"rtn": ((4,),), "kd": ((0.5,),)}, seeds=(0,))
    done = sweep(config, tmp_path, "test")
    assert done.failed == []
    found = runs(done.records)
    assert found["rtn"].result is not None
    assert found["kd"].skipped == "its outputs are not logits of two or more classes"
    assert (found["kd"].result, found["kd"].failure) == (None, None)
    assert "tiny kd: skipped: its outputs are not logits" in capsys.readouterr().err
