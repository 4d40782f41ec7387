"""What a point of a curve records: its cost, whatever a method does by itself, and extremes that must not break it."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import pytest

from benchmarks.measure.clock import Clock
from benchmarks.plan.config import Budget, Loop
from benchmarks.plan.job import Job
from benchmarks.sweep.point import cost, run_point
from benchmarks.sweep.setting import setting
from benchmarks.sweep.start import Nets
from benchmarks.train.optimize import Watch, optimize, problem_of
from methods import METHODS
from methods.base import Description, Method, State, Teacher
from methods.flaxnet import forward


def watch():
    return Watch(Loop(), Clock())


def tuned_by(passes):
    """A post-training method that trains a bias by itself: labelled passes over calibration inside `settle`."""

    def settle(key, problem, variables, state, round):
        @jax.jit
        def step(bias, batch):
            out = forward(problem.net, variables, batch["x"])[0]
            return bias - 0.01 * jax.grad(lambda bias: problem.loss(out + bias, batch))(bias)

        bias = jnp.zeros(3)
        for _ in range(passes):
            for batch in problem.calibration:
                bias = step(bias, batch)
        return problem.net, variables, State(fixed=bias)

    return Method(settle=settle)


def spent(task, data, method, about, dense, steps=0):
    problem = problem_of(task, data, steps, teacher=Teacher(task.net, dense.variables))
    recipe = task.recovery if steps else None
    optimize(task, method, problem, dense.variables, (), 0, recipe, data.train, watch())
    return cost(Clock(), problem, task.recovery.batch_size, about)


def test_private_training_is_paid_for(tiny, tiny_data, tiny_dense):
    task = dataclasses.replace(tiny, eval_batch=100)
    rows = jax.tree.map(lambda a: jnp.tile(a, (25, *[1] * (a.ndim - 1))), tiny_data.calibration)
    about = Description("tuned", (), ((),))
    taken = spent(task, tiny_data._replace(calibration=rows), tuned_by(400), about, tiny_dense[0])
    assert (taken.steps, taken.teacher_forwards) == (0, 0)
    assert (taken.calibration_examples, taken.calibration_drawn) == (200, 80_000)
    assert taken.labelled_examples == 80_000


def test_private_training_comes_on_top_and_a_dropped_teacher_is_counted(tiny, tiny_data, tiny_dense):
    """6 steps of 8 examples, and 5 passes over 8 calibration examples; `settle` keeps no teacher."""
    about = Description("tuned", (), ((),), budget="recovery", needs=frozenset({"teacher"}))
    taken = spent(tiny, tiny_data, tuned_by(5), about, tiny_dense[0], steps=6)
    assert (taken.labelled_examples, taken.teacher_forwards) == (48 + 40, 48)


def test_an_optimization_of_its_own_adds_its_steps_and_what_they_saw(tiny, tiny_data, tiny_dense):
    """20 steps of 4 examples on what one pass over 8 calibration examples gave, beside 6 steps of 8 in the loop."""

    def settle(key, problem, variables, state, round):
        for _ in problem.calibration:
            pass
        problem.pay(20, 80)
        return problem.net, variables, state

    about = Description("reconstructing", (), ((),), budget="recovery")
    taken = spent(tiny, tiny_data, Method(settle=settle), about, tiny_dense[0], steps=6)
    assert (taken.steps, taken.labelled_examples) == (6 + 20, 48)
    assert (taken.calibration_examples, taken.calibration_drawn) == (8, 8 + 80)


@pytest.mark.parametrize(
    ("name", "strength", "drawn"), [("rtn", 4, 0), ("rtn_static", 4, 8), ("lsq", 4, 8), ("magnitude", 0.5, 0)]
)
def test_methods_of_the_suite_calibrate_without_labels(name, strength, drawn, tiny, tiny_data, tiny_dense):
    problem = problem_of(tiny, tiny_data, 0)
    given = problem, tiny_dense[0].variables, (strength,), 0, None, tiny_data.train
    optimize(tiny, METHODS[name].make(), *given, watch())
    taken = problem.calibration.taken
    assert (taken.examples, taken.drawn, taken.labelled) == (drawn, drawn, 0)


@pytest.fixture(scope="module")
def point(tiny, tiny_dense, tmp_path_factory):
    @functools.cache
    def run(name, strength, task=tiny):
        facts = {"budget": Budget(), "loop": Loop()}
        job = Job(kind="point", task=task.name, method=name, strength=strength, seed=0, **facts)
        nets, folder = Nets(tiny_dense[0], None), tmp_path_factory.mktemp("point")
        return run_point(setting(task, Budget()), job, nets, None, folder, watch())

    return run


def test_a_dense_point_is_as_fast_as_itself(point):
    result = point("dense", ())
    assert result.execution == "deployed"
    assert result.weight_bits == 32
    for timed in (result.latency.one, result.latency.batch):
        assert (timed.speedup.median, timed.speedup.low, timed.speedup.high) == (1, 1, 1)
        assert timed.median_ms == timed.dense_median_ms
        assert timed.rounds >= 5
    assert result.compiled_memory_bytes > 0


def test_simulation_says_what_would_ship(point):
    dense, masked, rounded = point("dense", ()), point("magnitude", (0.5,)), point("rtn_static", (4.0,))
    assert masked.execution == rounded.execution == "simulated"
    assert masked.compiled_memory_bytes is rounded.compiled_memory_bytes is None
    assert 0 < rounded.payload < rounded.bytes
    assert rounded.memory_bytes < masked.memory_bytes == dense.memory_bytes
    assert (masked.weight_bits, rounded.weight_bits) == (32, 4)
    assert masked.density == pytest.approx(0.5, abs=0.02)
    assert rounded.density == 1  # what rounding makes 0 is not pruned, read off the file


@pytest.mark.parametrize("sparsity", [0.0, 1.0])
def test_nothing_and_everything_pruned(point, sparsity):
    result = point("magnitude", (sparsity,))
    assert (result.density, result.effective_macs) == (1 - sparsity, (1 - sparsity) * result.macs)
    assert result.output_error == 0
    assert 0 <= result.quality <= 1
    assert result.latency.batch.rounds > 0


def test_everything_pruned_before_it_is_rounded(point):
    result = point("magnitude_rtn", (1.0, 4.0))
    assert (result.density, result.effective_macs, result.bops) == (0, 0, 0)


@pytest.mark.parametrize("outcome", ["correct", "loss"])
def test_one_test_example(point, tiny, outcome):
    one = lambda: tiny.load()._replace(test={name: a[:1] for name, a in tiny.load().test.items()})  # noqa: E731
    metric = dataclasses.replace(tiny.metric, name=outcome, outcome=outcome)
    outcomes = tiny.outcomes if outcome == "correct" else tiny.loss
    result = point("rtn", (8.0,), dataclasses.replace(tiny, load=one, metric=metric, outcomes=outcomes))
    assert len(result.outcomes) == 1
    assert result.quality == pytest.approx(float(result.outcomes[0]), rel=1e-5)
