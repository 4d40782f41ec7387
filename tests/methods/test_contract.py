"""The contract that every registered method passes. A new method adds one row to `ROWS`."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import artifact
from benchmarks.checkpoints import Checkpoints
from benchmarks.clock import Clock
from benchmarks.config import Loop
from benchmarks.evaluate import Calibration
from benchmarks.loop import train
from benchmarks.measure import compile_forward
from benchmarks.point import Setting, run
from benchmarks.step import Program, start
from methods import METHODS
from methods.arrays.quantizer import decoded, is_quantized
from methods.base import Problem, Shipped, Teacher, flatten, forward, select
from methods.chain import chain


def has_sparsity(shipped, strength):
    for path, weight in select(shipped.variables["params"]).items():
        assert np.count_nonzero(decoded(weight)) == weight_size(weight) - round(strength * weight_size(weight)), path


def has_bits(shipped, strength, edges=None):
    leaves = jax.tree.leaves(shipped.variables["params"], is_leaf=is_quantized)
    found = [leaf.bits for leaf in leaves if is_quantized(leaf)]
    middle = [strength] * (len(found) - 2)
    assert sorted(found) == sorted([edges or strength, edges or strength, *middle])
    for leaf in filter(is_quantized, leaves):
        assert int(leaf.codes.max()) - leaf.low < 2**leaf.bits
        assert int(leaf.codes.min()) >= leaf.low


def has_input_bits(shipped, strength):
    has_bits(shipped, strength)
    assert sorted(shipped.inputs) == ["conv1", "conv2", "dense1", "head"]
    for grid in shipped.inputs.values():
        assert grid.high - grid.low == 2**strength - 1


def has_width(shipped, strength):
    assert (shipped.net.channels, shipped.net.hidden) == (
        (round(4 * strength), round(4 * strength)),
        round(8 * strength),
    )


def is_pruned_and_quantized(shipped, strength):
    sparsity, bits = strength
    for path, leaf in select(shipped.variables["params"]).items():
        assert leaf.bits == bits, path
        size = weight_size(leaf)
        assert np.count_nonzero(decoded(leaf)) <= size - round(sparsity * size), path


def weight_size(leaf):
    return (leaf.codes if is_quantized(leaf) else leaf).size


class Row(NamedTuple):
    identity: object  # the strength that changes nothing
    strengths: tuple  # two that do
    exact: Callable  # (shipped, strength): asserts that the strength was hit exactly


ROWS = {
    "dense": Row(0.0, (0.0, 0.0), lambda shipped, strength: None),
    "rtn": Row(32, (8, 3), has_bits),
    "rtn_static": Row(32, (8, 4), has_input_bits),
    "lsq": Row(32, (4, 2), lambda shipped, strength: has_bits(shipped, strength, edges=8)),
    "magnitude": Row(0.0, (0.5, 0.9), has_sparsity),
    "random": Row(0.0, (0.5, 0.9), has_sparsity),
    "channels": Row(1.0, (0.5, 0.25), has_width),
    "kd": Row(1.0, (0.5, 0.25), has_width),
    "student": Row(1.0, (0.5, 0.25), has_width),
    "magnitude_rtn": Row((0.0, 32), ((0.5, 8), (0.9, 4)), is_pruned_and_quantized),
}

MADE = {name: make() for name, make in METHODS.items()}  # once: jit's cache goes by identity
each_method = pytest.mark.parametrize("name", METHODS)


def problem_of(task, data, dense, steps=6):
    loss = lambda out, batch: jnp.mean(task.loss(out, batch))  # noqa: E731
    calibration = Calibration(task, data.calibration)
    return Problem(task.net, data.calibration["x"][:1], calibration, loss, steps, Teacher(task.net, dense.variables))


def floats(strength):
    return jax.tree.map(jnp.float32, strength)


def optimize(method, strength, task, data, dense, steps=6, seed=0):
    """(net, variables, state) after init, recovery and settle."""
    problem = problem_of(task, data, dense, steps if method.recovers else 0)
    net, variables, state = method.init(jax.random.key(seed), problem, dense.variables, floats(strength))
    if problem.recovery_steps:
        program = Program(task, net, method, task.recovery)
        carry = train(program, start(program, variables, state), data.train, seed, log_every=3, clock=Clock())
        variables, state = {"params": carry.params, **carry.rest}, carry.state
    return net, variables, method.settle(jax.random.key(seed), problem._replace(net=net), variables, state)


def simulate(method, net, variables, state, x):
    """(weights that run, outputs), jitted."""

    @jax.jit
    def run(variables, state, x):
        seen = method.view(state, variables["params"])
        return seen, forward(net, {**variables, "params": seen}, x, tap=method.tap(state))[0]

    return run(variables, state, x)


@pytest.fixture(scope="module")
def optimized(tiny, tiny_data, tiny_dense):
    """{name: (method, net, variables, state)} of each method at its second strength, recovered."""
    return {
        name: (method, *optimize(method, ROWS[name].strengths[1], tiny, tiny_data, tiny_dense[0]))
        for name, method in MADE.items()
    }


def test_every_method_has_a_row():
    assert set(ROWS) == set(METHODS)


@each_method
def test_family_and_control_are_named(name):
    method = MADE[name]
    assert method.family
    if method.control:
        assert set(MADE[method.control].strengths) & set(method.strengths), "no strength in common"


@each_method
def test_default_sweep_has_five_strengths_and_a_knob(name):
    method = MADE[name]
    assert method.knob
    assert len(set(method.strengths)) >= 5 or name == "dense"


@each_method
def test_identity_strength_leaves_outputs_bit_equal(name, tiny, tiny_data, tiny_dense):
    method, dense, x = MADE[name], tiny_dense[0], tiny_data.valid["x"]
    problem = problem_of(tiny, tiny_data, dense, steps=0)
    net, variables, state = method.init(jax.random.key(0), problem, dense.variables, floats(ROWS[name].identity))
    state = method.settle(jax.random.key(0), problem, variables, state)
    seen, out = simulate(method, net, variables, state, x)
    assert net == tiny.net
    for path, weight in flatten(seen).items():
        np.testing.assert_array_equal(weight, flatten(dense.variables["params"])[path])
    expected = jax.jit(lambda v, x: forward(tiny.net, v, x)[0])(dense.variables, x)
    np.testing.assert_array_equal(out, expected)


@each_method
def test_strength_is_hit_exactly(name, optimized):
    method, net, variables, state = optimized[name]
    ROWS[name].exact(method.export(state, Shipped(net, variables)), ROWS[name].strengths[1])


@each_method
def test_what_is_simulated_is_what_ships(name, optimized, tiny_data, tmp_path):
    method, net, variables, state = optimized[name]
    x = tiny_data.valid["x"]
    seen, out = simulate(method, net, variables, state, x)
    artifact.write(tmp_path / "a", method.export(state, Shipped(net, variables)), x)
    shipped = artifact.read(tmp_path / "a").shipped
    if shipped.net == net:
        for path, weight in flatten(seen).items():
            np.testing.assert_array_equal(weight, decoded(flatten(shipped.variables["params"])[path]))
    np.testing.assert_allclose(compile_forward(shipped, x).run(x), out, rtol=1e-5, atol=1e-5)


@each_method
def test_second_strength_and_seed_compile_nothing(name, tiny, tiny_data, tiny_dense, optimized):
    method = METHODS[name]()  # a new one, so that nothing is compiled yet
    program = Program(tiny, tiny.net, method, tiny.recovery)
    compilations = []
    for strength, dense, seed in zip(ROWS[name].strengths, tiny_dense, (0, 1), strict=True):
        problem = problem_of(tiny, tiny_data, dense)
        net, variables, state = method.init(jax.random.key(seed), problem, dense.variables, floats(strength))
        if net != tiny.net:
            pytest.skip(f"{name} shrinks the net in init: it compiles once per shape")
        with Clock() as clock:
            train(program, start(program, variables, state), tiny_data.train, seed, log_every=3, clock=clock)
        compilations.append(clock.steps_compiled)
    assert compilations == [1, 0]


@each_method
def test_gradients_are_finite_and_dtypes_kept(name, optimized):
    method, _, variables, state = optimized[name]
    for path, leaf in flatten(variables["params"]).items():
        assert leaf.dtype == jnp.float32
        assert np.isfinite(leaf).all(), path
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state))
    halves = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), variables["params"])
    assert {leaf.dtype for leaf in jax.tree.leaves(method.view(state, halves))} == {jnp.dtype(jnp.bfloat16)}


@each_method
def test_state_survives_orbax(name, tiny, tiny_data, tiny_dense, tmp_path):
    method = MADE[name]
    problem = problem_of(tiny, tiny_data, tiny_dense[0])
    net, variables, state = method.init(
        jax.random.key(0), problem, tiny_dense[0].variables, floats(ROWS[name].strengths[1])
    )
    carry = start(Program(tiny, net, method, tiny.recovery), variables, state)
    checkpoints = Checkpoints(tmp_path, every=1, keep=2)
    checkpoints.save(1, carry)
    checkpoints.close(delete=False)
    blank = jax.tree.map(jnp.zeros_like, carry)
    restored = Checkpoints(tmp_path, every=1, keep=2).latest(blank)
    assert jax.tree.structure(restored) == jax.tree.structure(carry)
    for a, b in zip(jax.tree.leaves(restored), jax.tree.leaves(carry), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


@each_method
def test_same_key_same_bits(name, optimized, tiny, tiny_data, tiny_dense):
    method, net, variables, state = optimized[name]
    again = optimize(method, ROWS[name].strengths[1], tiny, tiny_data, tiny_dense[0])
    assert again[0] == net
    for a, b in zip(jax.tree.leaves(again[1:]), jax.tree.leaves((variables, state)), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("second", METHODS)
@each_method
def test_any_two_chain_or_refuse_with_a_reason(name, second, tiny, tiny_data, tiny_dense):
    strength = (ROWS[name].strengths[0], ROWS[second].strengths[0])
    dense = tiny_dense[0]
    problem = problem_of(tiny, tiny_data, dense, steps=0)
    try:
        method = chain(MADE[name], MADE[second], strengths=(strength,))
        net, variables, state = method.init(jax.random.key(0), problem, dense.variables, floats(strength))
    except ValueError as error:
        assert "of the chain changes" in str(error)  # noqa: PT017 - refusing is one of two right answers
        assert (name, second) in REFUSED
        return
    assert (name, second) not in REFUSED
    state = method.settle(jax.random.key(0), problem._replace(net=net), variables, state)
    seen = method.view(state, variables["params"])
    ships = decoded(method.export(state, Shipped(net, variables)).variables)
    for path, weight in flatten(seen).items():
        np.testing.assert_array_equal(weight, flatten(ships["params"])[path])


_QUANTIZE = ("rtn", "rtn_static", "lsq", "magnitude_rtn")
_VIEW = (*_QUANTIZE, "magnitude", "random")
_RESHAPE = ("channels", "kd", "student")
REFUSED = {(a, b) for a in _QUANTIZE for b in _VIEW} | {(a, b) for a in (*_VIEW, *_RESHAPE) for b in _RESHAPE}


def test_a_whole_run_measures_every_column(tiny, tiny_data, tiny_dense, tmp_path):
    setting = Setting(tiny, tiny_data, Loop(log_every=3))
    result = run(setting, MADE["rtn_static"], tiny_dense[0], 8, tmp_path, lambda step, losses: None)
    assert len(result.outcomes) == 11  # 11 test rows in batches of 4
    assert result.quality == pytest.approx(result.outcomes.count("1") / 11)
    assert result.bytes == (tmp_path / "artifact.safetensors").stat().st_size
    assert result.execution == "simulated"
    assert [row.batch for row in result.latency] == [1, 4]
    assert result.cost.calibration_examples == 8
    assert result.cost.steps == result.cost.teacher_forwards == 0
    # conv1 8·8·9·4, conv2 4·4·36·4, dense1 16·8, head 8·3
    assert result.macs == 2304 + 2304 + 128 + 24
    assert result.bops == pytest.approx(64 * result.effective_macs)


def test_a_fallback_is_noted_in_the_result(tiny, tiny_data, tiny_dense, tmp_path):
    setting = Setting(tiny, tiny_data, Loop(log_every=3))
    result = run(setting, MADE["channels"], tiny_dense[0], 0.1, tmp_path, lambda step, losses: None)
    assert result.notes == ["1 channel of 4 is kept, where 0.1 of them is none"]  # of 8 neurons, 0.1 is one
