"""The contract that every registered method passes. A new method adds one row to `ROWS`, in rows.py."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.artifact.file import read_artifact, write_artifact
from benchmarks.measure.clock import Clock
from benchmarks.measure.forward import compile_forward
from benchmarks.measure.shipped import agreement
from benchmarks.plan.config import Config, Loop, options
from benchmarks.plan.recipes import steps, training
from benchmarks.sweep.dense import train_dense
from benchmarks.train.checkpoints import Checkpoints
from benchmarks.train.loop import train
from benchmarks.train.optimize import Watch, example, optimize, prepare, problem_of
from benchmarks.train.step import StepSpec, in_graph, start
from methods import METHODS
from methods.base import Description, Shipped, Teacher
from methods.chain import chain
from methods.flaxnet import forward
from methods.paths import flatten
from methods.transforms.transform import decoded, is_packed
from tests.contracts.blocks import with_blocks
from tests.contracts.rows import ROWS

pytestmark = pytest.mark.filterwarnings("ignore:no whole group of [48] is left")  # of the 9 weights of conv1
ABOUT = {name: entry.about for name, entry in METHODS.items()}
MADE = {name: entry.make() for name, entry in METHODS.items()}  # once: jit's cache goes by identity
each_method = pytest.mark.parametrize("name", METHODS)


class Case(NamedTuple):
    """A tiny task with its data and the dense nets of two seeds."""

    task: Any
    data: Any
    nets: Any

    @property
    def dense(self):
        return self.nets[0]

    def problem(self, name, strength, steps=6, seed=0):
        teacher = Teacher(self.task.net, self.dense.variables)
        copied = ROWS[name].copied(self.dense.variables["params"], strength)
        nets = {"dense": self.dense.variables, "early": self.dense.early, "teacher": teacher}
        return problem_of(self.task, self.data, steps, seed=seed, copied=copied, **nets)

    def optimize(self, name, strength, seed=0):
        """What the bench makes of a method: init, training and settle."""
        about = ABOUT[name]
        problem = self.problem(name, strength, steps(self.task, about), seed)
        start = problem.born if about.budget == "full" and not about.nested else self.dense.variables
        given = (self.task, MADE[name], problem, start, strength, seed, training(self.task, about))
        return optimize(*given, self.data.train, Watch(Loop(log_every=3), Clock()), about.rounds)


@pytest.fixture(scope="module")
def case_of(tiny, tiny_data, tiny_dense, tmp_path_factory):
    """name -> the tiny task, that of a transformer for a method that needs one."""

    @functools.cache
    def transformer():
        task, folder = with_blocks(tiny), tmp_path_factory.mktemp("blocks")
        data = jax.device_put(task.load())
        return Case(task, data, [train_dense(task, data, i, folder / str(i), Watch(Loop(), Clock())) for i in (0, 1)])

    return lambda name: transformer() if "blocks" in ABOUT[name].needs else Case(tiny, tiny_data, tiny_dense)


@pytest.fixture
def case(case_of, request):
    return case_of(request.node.callspec.params["name"])


@pytest.fixture(scope="module")
def optimized(case_of):
    """name -> net, variables, state of the method at its second strength, recovered; made once for each."""
    return functools.cache(lambda name: case_of(name).optimize(name, ROWS[name].strengths[1]))


def test_every_method_has_a_row():
    assert set(ROWS) == set(METHODS)


@each_method
def test_a_description_is_whole(name):
    about = ABOUT[name]
    assert about.family
    assert all(knob.name and knob.low < knob.high for knob in about.knobs)
    assert len(set(about.sweep)) >= 5 or not about.knobs
    for strength in about.sweep:
        assert isinstance(strength, tuple)
        assert all(knob.low <= value <= knob.high for value, knob in zip(strength, about.knobs, strict=True))
    assert about.changes <= {"weights", "values", "inputs", "shape", "loss"}
    assert about.needs <= {"groups", "classes", "teacher", "blocks", "batch_norm"}


@each_method
def test_trials_are_few_and_the_default_comes_first(name):
    about = ABOUT[name]
    assert (about.budget == "none" or about.nested) == (about.trials == ())
    assert len(about.trials) <= 5
    assert len({setting for trial in about.trials for setting, _ in trial}) <= 2
    defaults = {"rate": 1.0} | options(Config((), ()), name)
    assert all(defaults[setting] == value for setting, value in (about.trials or ((),))[0])


@each_method
def test_controls_are_methods_and_a_copy_has_the_strengths_and_budget_of_its_original(name):
    about, control = ABOUT[name], ABOUT[name].control
    assert control is None or control in METHODS
    if about.copies is not None:
        original = ABOUT[about.copies]
        assert original.copies is None
        assert not original.nested
        assert (about.knobs, about.sweep, about.budget) == (original.knobs, original.sweep, original.budget)


@each_method
def test_rounds_and_nested_strengths_are_of_what_trains(name):
    about = ABOUT[name]
    assert about.rounds == 1 or about.budget != "none"
    assert not about.nested or (about.budget == "full" and len(about.knobs) == 1)


@each_method
def test_what_a_method_changes_is_declared(name, optimized, case):
    net, variables, state = optimized(name)
    method, default = MADE[name], MADE["dense"]
    pairs = zip(*map(jax.tree.leaves, (method.view(state, variables), variables)), strict=True)
    viewed = any(not np.array_equal(a, b) for a, b in pairs)
    shipped = method.export(state, Shipped(net, variables))
    leaves = jax.tree.leaves(shipped.variables, is_leaf=is_packed)
    rounded = any(is_packed(leaf) and leaf.bits < 32 for leaf in leaves)  # others hold whole numbers: N:M
    found = {
        "weights": viewed,
        "values": rounded,
        "inputs": bool(shipped.inputs),
        "shape": shipped.net != case.task.net,
        "loss": method.loss is not default.loss and "loss" in ABOUT[name].changes,
    }
    assert {what for what, changed in found.items() if changed} == set(ABOUT[name].changes)


@each_method
def test_identity_strength_leaves_outputs_bit_equal(name, case):
    method, dense, x = MADE[name], case.dense, case.data.valid["x"]
    if ROWS[name].identity is None:
        pytest.skip(f"{name} has no strength that changes nothing")
    problem = case.problem(name, ROWS[name].identity, steps=0)
    net, variables, state = prepare(method, problem, dense.variables, ROWS[name].identity, 0)
    net, variables, state = method.settle(jax.random.key(0), problem, variables, state, ABOUT[name].rounds)
    seen, out = simulate(method, net, variables, state, x)
    assert net == case.task.net
    for path, weight in flatten(seen).items():
        np.testing.assert_array_equal(weight, flatten(dense.variables["params"])[path])
    expected = jax.jit(lambda v, x: forward(net, v, x)[0])(dense.variables, x)
    np.testing.assert_array_equal(out, expected)


def simulate(method, net, variables, state, x):
    """(weights that run, outputs), jitted."""

    @jax.jit
    def run(variables, state, x):
        seen = method.view(state, variables)
        return seen["params"], forward(net, seen, x, tap=method.tap(state))[0]

    return run(variables, state, x)


@each_method
def test_strength_is_hit_exactly(name, optimized):
    net, variables, state = optimized(name)
    ROWS[name].exact(MADE[name].export(state, Shipped(net, variables)), ROWS[name].strengths[1])


@each_method
def test_what_is_simulated_is_what_ships(name, optimized, case, tmp_path):
    """By the bench's own check, and by one of this test's own: outputs of the decoded artifact, another split."""
    net, variables, state = optimized(name)
    method, x = MADE[name], case.data.valid["x"]
    trained = Shipped(net, variables)
    write_artifact(tmp_path / "a", method.export(state, trained), x)
    shipped = read_artifact(tmp_path / "a").shipped
    assert agreement(method, state, trained, shipped, example(case.task, case.data)) <= 1e-5
    _, out = simulate(method, net, variables, state, x)
    np.testing.assert_allclose(compile_forward(shipped, x).run(x), out, rtol=1e-5, atol=1e-5)


@each_method
def test_second_strength_and_seed_compile_nothing(name, case):
    method = METHODS[name].make()  # a new one, so that nothing is compiled yet
    spec = StepSpec(case.task, case.task.net, in_graph(method), case.task.recovery)
    compilations = []
    for strength, dense, seed in zip(ROWS[name].strengths, case.nets, (0, 1), strict=True):
        net, variables, state = prepare(method, case.problem(name, strength), dense.variables, strength, seed)
        if net != case.task.net:
            pytest.skip(f"{name} shrinks the net in init: it compiles once per shape")
        with Clock() as clock:
            train(spec, start(spec, variables, state, case.data.train), case.data.train, seed, log_every=3, clock=clock)
        compilations.append(clock.steps_compiled)
    assert compilations in ([1, 0], [0, 0])  # none where the method adds nothing to a step: then dense's is shared


@each_method
def test_gradients_are_finite_and_dtypes_kept(name, optimized):
    _, variables, state = optimized(name)
    for path, leaf in flatten(variables["params"]).items():
        assert leaf.dtype == jnp.float32
        assert np.isfinite(leaf).all(), path
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state))
    halves = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), variables["params"])
    seen = MADE[name].view(state, {**variables, "params": halves})["params"]
    assert {leaf.dtype for leaf in jax.tree.leaves(seen)} == {jnp.dtype(jnp.bfloat16)}


@each_method
def test_state_survives_orbax(name, case, tmp_path):
    strength = ROWS[name].strengths[1]
    prepared = prepare(MADE[name], case.problem(name, strength), case.dense.variables, strength, 0)
    spec = StepSpec(case.task, prepared.net, MADE[name], case.task.recovery)
    carry = start(spec, prepared.variables, prepared.state, case.data.train)
    checkpoints = Checkpoints(tmp_path, every_s=0, keep=2)
    checkpoints.save(1, carry, {"seconds": 2.5})
    checkpoints.close()
    restored, facts = Checkpoints(tmp_path, every_s=0, keep=2).latest(jax.tree.map(jnp.zeros_like, carry))
    assert facts == {"seconds": 2.5}
    assert jax.tree.structure(restored) == jax.tree.structure(carry)
    for a, b in zip(jax.tree.leaves(restored), jax.tree.leaves(carry), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


@each_method
def test_settling_keeps_the_types_of_the_state(name, case, optimized):
    def types(fixed):
        return list(map(type, fixed)) if type(fixed) is tuple else type(fixed)  # a chain's: one of each part

    strength = ROWS[name].strengths[1]
    state = prepare(MADE[name], case.problem(name, strength), case.dense.variables, strength, 0).state
    assert types(state.fixed) == types(optimized(name).state.fixed)


@each_method
def test_same_key_same_bits(name, optimized, case):
    again = case.optimize(name, ROWS[name].strengths[1])
    assert again.net == optimized(name).net
    for a, b in zip(jax.tree.leaves(again[1:]), jax.tree.leaves(optimized(name)[1:]), strict=True):
        np.testing.assert_array_equal(a, b)


def kind(about: Description) -> tuple:
    """Methods of one kind behave alike in a chain: by what they change, and whether they train."""
    return tuple(sorted(about.changes)), about.budget


KINDS = {kind(about): name for name, about in reversed(ABOUT.items())}
"""The first method of each kind: chains are tried with these, so that a new method of a known kind adds none."""
PAIRS = [(a, b) for a in KINDS.values() for b in KINDS.values()]


def refused(first: Description, second: Description) -> bool:
    """By what the two declare: nothing changes weights whose values another owns; only the first may reshape."""
    rounds_first = "values" in first.changes and "weights" in second.changes
    return rounds_first or bool(first.changes and "shape" in second.changes)


@pytest.mark.parametrize(("name", "second"), PAIRS)
def test_two_kinds_chain_or_refuse_with_a_reason(name, second, case):
    strength = ROWS[name].strengths[0] + ROWS[second].strengths[0]
    problem = case.problem(name, ROWS[name].strengths[0], steps=0)
    try:
        method = chain(METHODS[name], METHODS[second], sweep=(strength,)).make()
        net, variables, state = prepare(method, problem, case.dense.variables, strength, 0)
    except ValueError as error:
        assert "of the chain changes" in str(error)  # noqa: PT017 - refusing is one of two right answers
        assert refused(ABOUT[name], ABOUT[second])
        return
    assert not refused(ABOUT[name], ABOUT[second])
    stored = variables["params"]
    net, variables, state = method.settle(jax.random.key(0), problem._replace(net=net), variables, state, 1)
    jax.tree.map(np.testing.assert_array_equal, variables["params"], stored)
    seen = method.view(state, variables)["params"]
    ships = decoded(method.export(state, Shipped(net, variables)).variables)
    for path, weight in flatten(seen).items():
        np.testing.assert_array_equal(weight, flatten(ships["params"])[path])
