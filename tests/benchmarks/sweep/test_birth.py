"""Whatever starts from birth starts as the dense net of its seed did: the same weights, batches and rate."""

import jax
import numpy as np
import pytest

from benchmarks.plan.config import Config
from benchmarks.sweep.sweep import sweep
from benchmarks.train import optimize
from benchmarks.train.step import start
from leaderboard.record import files as record
from methods import METHODS
from methods.flaxnet import first_example, fresh
from tasks import TASKS


@pytest.fixture
def births(tiny, monkeypatch):
    """(net, variables, learning rate) of each training as it begins."""
    monkeypatch.setitem(TASKS, "tiny", tiny)
    seen = []

    def spied(spec, variables, state, arrays, rate):
        seen.append((spec.net, jax.device_get(variables), rate, spec.recipe.steps))
        return start(spec, variables, state, arrays, rate)

    monkeypatch.setattr(optimize, "start", spied)
    return seen


def equal(a, b):
    return all(np.array_equal(x, y) for x, y in zip(*map(jax.tree.leaves, (a, b)), strict=True))


@pytest.mark.parametrize("method", ["student", "kd"])
def test_at_width_1_it_is_born_as_the_dense_net(births, tiny, tiny_data, tmp_path, method):
    config = Config(("tiny",), (method,), {method: ((1.0,),)}, seeds=(3,), tuning=False)
    (path,) = sweep(config, tmp_path, "test").records
    (net, dense, dense_rate, dense_steps), (same_net, born, rate, steps) = births
    assert net == same_net == tiny.net
    assert equal(dense, born)
    assert equal(born, fresh(tiny.net, jax.random.key(3), first_example(tiny_data.train["x"])))
    assert (rate, steps) == (dense_rate, dense_steps + tiny.recovery.steps)
    found = record.read(path)
    assert found.points[0].runs[0].dense == found.dense[0].checkpoint
    assert found.points[0].runs[0].result.cost.steps == 12 + 6
    assert found.points[0].runs[0].result.cost.labelled_examples == (12 + 6) * 8
    assert (found.method.budget, found.method.reference) == ("full", "finetuned")


def test_a_narrower_net_is_new_and_the_same_for_a_student_and_its_control(births, tmp_path):
    strengths = dict.fromkeys(("student", "kd"), ((0.5,),))
    sweep(Config(("tiny",), ("student", "kd"), strengths, seeds=(0, 1), tuning=False), tmp_path, "test")
    *_, (_, student, *_), (_, other_seed, *_), (_, kd, *_), _ = births
    assert equal(student, kd)
    assert not equal(student, other_seed)


def test_finetuned_goes_on_from_the_dense_net_with_the_recovery_recipe(births, tiny, tmp_path):
    (path,) = sweep(Config(("tiny",), ("finetuned",), seeds=(0,), tuning=False), tmp_path, "test").records
    (_, born, *_), (_, trained, rate, steps) = births
    assert not equal(born, trained)
    assert (rate, steps) == (tiny.recovery.learning_rate, tiny.recovery.steps)
    found = record.read(path)
    assert (found.method.budget, found.method.reference, found.method.knobs) == ("recovery", "dense", [])
    assert list(METHODS)[:2] == ["dense", "finetuned"]
