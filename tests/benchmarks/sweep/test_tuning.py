"""Equal tuning: each declared setting is tried once, the best on valid holds for the curve, and killed trials go on."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from msgspec.structs import replace

from benchmarks.measure.clock import Clock
from benchmarks.plan.config import Config, Loop
from benchmarks.sweep import tuning, units
from benchmarks.sweep.sweep import sweep
from benchmarks.train.optimize import Optimized, Watch
from leaderboard.record import files as record
from methods import METHODS
from methods.base import RATES, Description, Entry, Knob, Method, State
from methods.paths import with_params
from tasks import TASKS

GRID = Config(("tiny",), ("scaled",), seeds=(0, 1))
FACTORS = (1.0, 3.0, 0.5, 2.0)  # the best is 2, see `planted`


def planted(factor: float = 1.0) -> Method:
    """Runs weights that are the smaller, and so the net the worse, the farther the factor is from 2."""

    def init(key, problem, variables, strength):
        return problem.net, variables, State(fixed=jnp.float32(abs(factor - 2)) * strength[0])

    def view(state, params):
        return jax.tree.map(lambda leaf: leaf * jnp.exp(-4 * state.fixed), params)

    def export(state, shipped):
        return shipped._replace(variables=with_params(shipped.variables, view(state, shipped.variables["params"])))

    return Method(init=init, view=view, export=export)


ABOUT = Description(
    "pruning",
    (Knob("strength", 0, 1),),
    ((0.1,), (0.4,), (0.7,), (1.0,)),
    budget="recovery",
    changes=frozenset({"weights"}),
    trials=tuple((("factor", factor),) for factor in FACTORS),
)


@pytest.fixture
def scaled(tiny, monkeypatch):
    """The tiny task, which learns nothing in its recovery, and a method whose best setting is known."""
    still = dataclasses.replace(tiny.recovery, learning_rate=1e-30)
    monkeypatch.setitem(TASKS, "tiny", dataclasses.replace(tiny, recovery=still))
    monkeypatch.setitem(METHODS, "scaled", Entry(planted, ABOUT))
    return monkeypatch


def trials(workdir):
    """{settings: what its file says}, by the folder's name."""
    return {file.parent.name: json.loads(file.read_text()) for file in workdir.glob("tiny/*-tuning-*/*/trial.json")}


def test_the_planted_best_is_chosen_recorded_and_paid_for(scaled, tmp_path):
    (path,) = sweep(GRID, tmp_path, "test").records
    found = record.read(path)
    said = found.tuning
    assert (said.seed, said.strength, said.settings) == (0, [0.7], {"factor": 2.0})
    assert [trial.settings["factor"] for trial in said.trials] == list(FACTORS)
    losses = [trial.loss for trial in said.trials]
    assert losses[3] < min(losses[:3])
    assert losses[0] == losses[1]  # as far from 2
    assert (said.steps, said.labelled_examples) == (4 * 6, 4 * (6 * 8 + 10))
    assert said.seconds > 0
    assert found.config["options"] == {"factor": 2.0}
    assert found.config["tuning"] == {
        "seed": 0,
        "strength": [0.7],
        "settings": [{"factor": factor} for factor in FACTORS],
    }
    assert found.division == "closed"
    assert {run.result.cost.steps for point in found.points for run in point.runs} == {6}
    assert len(found.points) == 4


def test_the_default_holds_where_nothing_is_tuned(scaled, tmp_path):
    (path,) = sweep(replace(GRID, tuning=False, seeds=(0,)), tmp_path, "test").records
    found = record.read(path)
    assert (found.tuning, found.config["tuning"], found.config["options"]) == (None, None, {"factor": 1.0})
    assert trials(tmp_path) == {}


def test_other_strengths_and_seeds_take_the_same_choice(scaled, tmp_path):
    (path,) = sweep(GRID, tmp_path, "test").records
    before = {file: file.stat().st_mtime_ns for file in tmp_path.glob("tiny/*/*/trial.json")}
    (again,) = sweep(replace(GRID, strengths={"scaled": ((0.2,),)}, seeds=(2,)), tmp_path, "test").records
    assert again == path
    found = record.read(path)
    assert [point.strength for point in found.points] == [[0.1], [0.2], [0.4], [0.7], [1.0]]
    assert {file: file.stat().st_mtime_ns for file in tmp_path.glob("tiny/*/*/trial.json")} == before


def test_finished_trials_are_not_made_again(scaled, tmp_path):
    made, tried = [], units.tried

    def stopping(job, *rest):
        made.append(job.settings["factor"])
        if made == [1.0, 3.0]:
            raise KeyboardInterrupt
        return tried(job, *rest)

    scaled.setattr(units, "tried", stopping)
    with pytest.raises(KeyboardInterrupt):
        sweep(GRID, tmp_path, "test")
    assert list(trials(tmp_path)) == ["factor=1"]
    sweep(GRID, tmp_path, "test")
    assert made == [1.0, 3.0, 3.0, 0.5, 2.0]


def test_a_trial_that_diverges_counts_as_the_worst(tiny, monkeypatch, tmp_path):
    """Of finetuned's rates, all but the third send the loss to infinity."""
    wild = dataclasses.replace(tiny.recovery, learning_rate=1e-3)
    monkeypatch.setitem(TASKS, "tiny", dataclasses.replace(tiny, recovery=wild))
    run = tuning.run

    def diverging(job, *rest):
        if job.rate != 2.0:
            raise tuning.Diverged("loss is nan at step 2")
        return run(job, *rest)

    monkeypatch.setattr(tuning, "run", diverging)
    done = sweep(Config(("tiny",), ("finetuned",), seeds=(0,)), tmp_path, "test")
    said = record.read(done.records[0]).tuning
    assert done.failed == []
    assert said.settings == {"rate": 2.0}
    assert [trial.loss is None for trial in said.trials] == [True, True, False, True, True]
    assert record.read(done.records[0]).config["training"]["learning_rate"] == 2e-3


def test_a_trial_that_fails_is_told_and_made_again_when_asked(scaled, tmp_path):
    tried = units.tried

    def failing(job, *rest):
        if job.settings["factor"] == 2.0:
            raise MemoryError("out of memory")
        return tried(job, *rest)

    scaled.setattr(units, "tried", failing)
    done = sweep(GRID, tmp_path, "test")
    assert done.failed == ["tiny/scaled/trial factor=2"]
    assert record.read(done.records[0]).tuning.settings == {"factor": 1.0}  # the first of equal ones
    scaled.setattr(units, "tried", tried)
    done = sweep(GRID, tmp_path, "test", retry=True)
    assert done.failed == []
    assert record.read(done.records[0]).tuning.settings == {"factor": 2.0}


def test_no_dense_net_of_the_tuned_seed_leaves_the_default(scaled, tmp_path):
    train = units.train_dense

    def failing(task, data, seed, *rest):
        if seed == 0:
            raise MemoryError("out of memory")
        return train(task, data, seed, *rest)

    scaled.setattr(units, "train_dense", failing)
    done = sweep(replace(GRID, seeds=(1,), strengths={"scaled": ((0.1,),)}), tmp_path, "test")
    assert done.failed == ["tiny/dense net/seed0", *(f"tiny/scaled/trial factor={f:g}" for f in FACTORS)]
    found = record.read(done.records[0])
    assert (found.tuning.settings, found.points[0].runs[0].failure) == ({"factor": 1.0}, None)
    (said,) = {trial["failure"] for trial in trials(tmp_path).values()}
    assert said == "Missing: the dense net that it starts from failed"


def test_loss_on_valid_is_the_mean_over_all_examples(tiny, tiny_data, tiny_dense):
    """Ten examples in batches of four, the last of them filled up; of the net under view, here twice its weights."""
    method = Method(view=lambda state, params: jax.tree.map(lambda leaf: 2 * leaf, params))
    variables = tiny_dense[0].variables
    done = Optimized(tiny.net, variables, State())
    doubled = with_params(variables, jax.tree.map(lambda leaf: 2 * leaf, variables["params"]))
    out = np.asarray(tiny.net.apply(doubled, tiny_data.valid["x"], train=False), np.float64)
    y = np.arange(10) % 3
    by_hand = np.mean(np.log(np.exp(out).sum(-1)) - out[np.arange(10), y])
    assert tuning.valid_loss(tiny, method, done, tiny_data.valid) == pytest.approx(by_hand, rel=1e-5)


@pytest.mark.parametrize(
    ("losses", "index"), [([2.0, 1.0, 1.0], 1), ([None, 3.0], 1), ([None, None], 0), ([0.0, -1.0, None], 1)]
)
def test_the_best_is_the_first_of_the_least(losses, index):
    assert tuning.best(losses) == index


def test_rates_share_one_compiled_step(tiny, tiny_data, tiny_dense, monkeypatch):
    monkeypatch.setitem(TASKS, "tiny", tiny)
    from benchmarks.train.optimize import optimize, problem_of

    compiled = []
    for _, rate in (pair for trial in RATES for pair in trial):
        recipe, clock = dataclasses.replace(tiny.recovery, learning_rate=rate * 3e-3), Clock()
        problem = problem_of(tiny, tiny_data, recipe.steps)
        given = (tiny, Method(), problem, tiny_dense[0].variables, (), 0, recipe, tiny_data.train)
        optimize(*given, Watch(Loop(), clock))
        compiled.append(clock.steps_compiled)
    assert compiled[1:] == [0, 0, 0, 0]
