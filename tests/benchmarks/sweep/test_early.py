"""Early weights: those of the very training that ends in the dense net, found by their hash or not believed."""

import dataclasses
import json

import jax
import numpy as np
import pytest

from benchmarks.artifact.file import ArtifactError
from benchmarks.measure.clock import Clock
from benchmarks.plan.config import Config, Loop
from benchmarks.plan.recipes import early_steps
from benchmarks.sweep.dense import load_dense, train_dense
from benchmarks.sweep.sweep import sweep
from benchmarks.train.checkpoints import weights_hash
from benchmarks.train.loop import train
from benchmarks.train.optimize import Watch, problem_of
from benchmarks.train.step import StepSpec, in_graph, start
from methods import METHODS
from methods.base import State
from tasks import TASKS


@pytest.mark.parametrize(
    ("steps", "kept"), [(2750, (28, 55, 138)), (900, (9, 18, 45)), (90, (1, 2, 4)), (12, (1,)), (1, ())]
)
def test_they_are_fixed_shares_of_the_steps(steps, kept):
    assert early_steps(steps) == kept


def test_they_are_what_the_dense_net_was_and_its_bits_are_the_same(tiny, tiny_data, tiny_dense):
    problem = problem_of(tiny, tiny_data, 12)
    recipe = dataclasses.replace(tiny.dense, learning_rate=1.0)
    spec = StepSpec(tiny, tiny.net, in_graph(METHODS["dense"].make()), recipe)
    carry = start(spec, problem.born, State(), tiny_data.train, tiny.dense.learning_rate)
    whole = train(spec, carry, tiny_data.train, 0, log_every=1, clock=Clock())
    assert weights_hash({"params": whole.params, **whole.rest}) == tiny_dense[0].checkpoint
    (early,) = tiny_dense[0].early.values()
    assert weights_hash(early) == tiny_dense[0].early.hashes[1]
    moved = jax.tree.map(lambda a, b: np.max(np.abs(a - b)), early["params"], problem.born["params"])
    assert max(jax.tree.leaves(moved)) == pytest.approx(tiny.dense.learning_rate, rel=0.01)  # one step of Adam


def test_they_are_read_again_and_damage_sets_the_dense_net_aside(tiny, tiny_data, monkeypatch, tmp_path):
    monkeypatch.setitem(TASKS, "tiny", tiny)
    config = Config(("tiny",), ("dense",), seeds=(0,))
    sweep(config, tmp_path, "test")
    (folder,) = tmp_path.glob("tiny/dense-net-*/seed0")
    stored, net, _ = load_dense(folder)
    assert json.loads((folder / "dense.json").read_text())["early"] == stored.early == {"1": net.early.hashes[1]}
    assert weights_hash(net.early[1]) == stored.early["1"]
    other = train_dense(tiny, tiny_data, 1, tmp_path / "other", Watch(Loop(), Clock()))
    (tmp_path / "other" / "early-1.slim").replace(folder / "early-1.slim")
    with pytest.raises(ArtifactError, match=rf"{stored.early['1']} that dense.json names; set aside as dense.json.bad"):
        net.early[1]
    assert other.early.hashes != net.early.hashes
    sweep(config, tmp_path, "test")
    assert weights_hash(load_dense(folder)[1].early[1]) == stored.early["1"]
