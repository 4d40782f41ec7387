import time

import pytest

from benchmarks.measure import latency as module
from benchmarks.measure.forward import compile_forward
from benchmarks.measure.latency import latency
from tests.benchmarks.measure.nets import X, net


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
    least = module.ROUNDS[0]
    assert least + 2 <= len(calls) / 2 <= max(least, module.BUDGET / 0.008 + 1) + 2


def test_rounds_have_a_least_and_a_most_number(monkeypatch):
    for budget, rounds in ((0.0, 7), (1e9, 100)):
        monkeypatch.setattr(module, "BUDGET", budget)
        calls = []
        latency(sleeper(0, calls), sleeper(0, calls), X)
        assert len(calls) == 2 * (2 + rounds)


def test_quantiles_against_numpy(monkeypatch):
    """On a clock that gives run i of ours i ms, and dense always 5 ms: p95 of 0..6 lies at 0.95 · 6."""
    monkeypatch.setattr(module, "BUDGET", 0.0)
    ticks = iter([s for i in range(7) for s in (i, 5)])
    monkeypatch.setattr(module, "_seconds", lambda run, batch: next(ticks) / 1000)
    timed = latency(lambda b: b, lambda b: b, X)
    assert timed == pytest.approx((3.0, 5.7, 5.0))


def test_a_compiled_net_is_timed():
    run = compile_forward(net(), X).run
    timed = latency(run, run, X)
    assert 0 < timed.median_ms <= timed.p95_ms
    assert timed.median_ms == pytest.approx(timed.dense_median_ms, rel=1.0)
