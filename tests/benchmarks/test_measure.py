import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from benchmarks import measure
from benchmarks.measure import compile_forward, device, latency, memory
from methods.arrays.quantizer import Quantizer
from methods.base import Shipped


class Net(nn.Module):
    width: int = 4

    @nn.compact
    def __call__(self, x, train: bool):
        return nn.Dense(self.width, name="out")(x)


def net(value=1.0, width=4, scale=None, module="out"):
    tree = {"params": {"out": {"kernel": jnp.full((8, width), value), "bias": jnp.zeros(width)}}}
    if scale is None:
        return Shipped(Net(width), tree)
    return Shipped(Net(width), tree, {module: Quantizer(*(jnp.float32(v) for v in (scale, 0, -128, 127)))})


X = np.full((3, 8), 0.3, np.float32)


def test_artifacts_of_one_curve_share_one_program():
    first, second = compile_forward(net(1.0, scale=0.25), X), compile_forward(net(2.0, scale=0.5), X + 1)
    assert first.compiled is second.compiled
    assert 0 < first.seconds == second.seconds
    # 0.3 rounds to 0.25 on a grid of step 0.25, to 0.5 on one of step 0.5
    np.testing.assert_array_equal(first.run(X), np.full((3, 4), 8 * 0.25))
    np.testing.assert_array_equal(second.run(X), np.full((3, 4), 8 * 2 * 0.5))


@pytest.mark.parametrize(
    "other",
    [
        (net(), X),
        (net(width=5, scale=0.25), X),
        (net(scale=0.25), X[:2]),
        (net(scale=0.25, module=""), X),
    ],
    ids=["no grid", "net", "batch", "another module"],
)
def test_another_structure_is_another_program(other):
    assert compile_forward(*other).compiled is not compile_forward(net(scale=0.25), X).compiled


def test_a_program_without_grids_computes_in_float():
    np.testing.assert_allclose(compile_forward(net(), X).run(X), np.full((3, 4), 2.4), rtol=1e-6)


def test_memory_by_hand():
    program = compile_forward(net(), X).compiled
    floats = 8 * 4 + 4 + 3 * 8 + 3 * 4  # kernel, bias, input, output
    assert (
        4 * floats <= memory(program) <= 4 * floats + 4 * 3 * 4 + 64
    )  # and at most one temporary as large as the output


def sleeper(seconds, calls):
    def run(batch):
        calls.append(seconds)
        time.sleep(seconds)
        return batch

    return run


def test_latency_is_measured_in_turn_and_in_milliseconds():
    calls = []
    timed = latency(sleeper(0.006, calls), sleeper(0.002, calls), X)
    assert 6 <= timed.median_ms <= timed.p95_ms < 1000
    assert 2 <= timed.dense_median_ms < timed.median_ms
    assert set(calls[::2]) == {0.006}
    assert set(calls[1::2]) == {0.002}
    least = measure.ROUNDS[0]
    assert least + 2 <= len(calls) / 2 <= max(least, measure.BUDGET / 0.008 + 1) + 2


def test_rounds_have_a_least_and_a_most_number(monkeypatch):
    for budget, rounds in ((0.0, 7), (1e9, 100)):
        monkeypatch.setattr(measure, "BUDGET", budget)
        calls = []
        latency(sleeper(0, calls), sleeper(0, calls), X)
        assert len(calls) == 2 * (2 + rounds)


def test_quantiles_against_numpy(monkeypatch):
    """On a clock that gives run i of ours i ms, and dense always 5 ms: p95 of 0..6 lies at 0.95 · 6."""
    monkeypatch.setattr(measure, "BUDGET", 0.0)
    ticks = iter([s for i in range(7) for s in (i, 5)])
    monkeypatch.setattr(measure, "_seconds", lambda run, batch: next(ticks) / 1000)
    timed = latency(lambda b: b, lambda b: b, X)
    assert timed == pytest.approx((3.0, 5.7, 5.0))


def test_a_compiled_net_is_timed():
    run = compile_forward(net(), X).run
    timed = latency(run, run, X)
    assert 0 < timed.median_ms <= timed.p95_ms
    assert timed.median_ms == pytest.approx(timed.dense_median_ms, rel=1.0)


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="an accelerator names itself")
@pytest.mark.parametrize(("cores", "said"), [(1, "1 core"), (2, "2 cores")])
def test_device_is_named_with_the_cores_that_it_may_use(monkeypatch, cores, said):
    monkeypatch.setattr(measure, "_cpu", lambda: "Z80")
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(cores)), raising=False)
    assert device() == f"cpu Z80, {said}"
