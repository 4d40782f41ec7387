import time

import numpy as np
import pytest

from benchmarks.measure import latency as module
from benchmarks.measure.forward import Forward, compile_forward
from benchmarks.measure.latency import latency
from benchmarks.measure.programs import PROGRAMS
from tests.benchmarks.measure.nets import X, net


def side(run=lambda batch: batch):
    return Forward(run, object(), 0.0)


def sleeper(seconds, calls):
    def run(batch):
        calls.append(seconds)
        time.sleep(seconds)
        return batch

    return side(run)


def clock(monkeypatch, *measurements):
    """Makes time go by (own, dense) milliseconds a round, one list of rounds for each measurement."""
    rounds = [pair for measurement in measurements for pair in measurement]
    ticks = iter([t for pair in rounds for t in pair])
    counts = iter([n for measurement in measurements for n in range(len(measurement) + 1)])
    monkeypatch.setattr(module, "_seconds", lambda side, batch: next(ticks) / 1000)
    monkeypatch.setattr(module, "_enough", lambda n, seconds: next(counts) == n and n >= len(measurements[0]))


def test_nets_are_timed_in_turn_and_in_milliseconds(monkeypatch):
    monkeypatch.setattr(module, "TRIES", 1)
    calls = []
    timed = latency(sleeper(0.003, calls), sleeper(0.001, calls), X)
    assert 3 <= timed.median_ms <= timed.p95_ms < 1000
    assert 1 <= timed.dense_median_ms < timed.median_ms
    assert timed.speedup[1] <= timed.speedup[0] <= timed.speedup[2] < 1
    assert set(calls[::2]) == {0.003}
    assert set(calls[1::2]) == {0.001}
    assert len(calls) == 2 * (2 + timed.rounds)  # twice to warm up


@pytest.mark.parametrize(
    ("rounds", "seconds", "enough"),
    [(29, 0.9, False), (30, 0.04, False), (30, 0.05, True), (4, 9.0, False), (5, 0.99, False), (5, 1.0, True)],
)
def test_a_measurement_has_thirty_rounds_or_takes_a_second(rounds, seconds, enough):
    assert module._enough(rounds, seconds) is enough


def test_quantiles_against_hand(monkeypatch):
    """Own takes 1, 2, 3, 4, 5 ms, dense 6 ms: ratios are 6, 3, 2, 1.5, 1.2, and p95 lies 0.8 on from 4 to 5."""
    monkeypatch.setattr(module, "TRIES", 1)
    clock(monkeypatch, [(own, 6) for own in (1, 2, 3, 4, 5)])
    timed = latency(side(), side(), X)
    assert timed[:3] == pytest.approx((3.0, 4.8, 6.0))
    assert timed.speedup == pytest.approx((2.0, 1.5, 3.0))
    assert timed.rounds == 5


def test_a_ratio_is_that_of_a_round(monkeypatch):
    """The machine gets slower meanwhile; own takes half of dense in every round."""
    clock(monkeypatch, [(t, 2 * t) for t in (1, 1, 10, 100, 100)])
    assert latency(side(), side(), X).speedup == (2, 2, 2)


def test_a_noisy_measurement_is_repeated_and_the_quietest_kept(monkeypatch):
    noisy, worse, quiet = [(2, t) for t in (2, 3, 4)], [(2, t) for t in (1, 4, 7)], [(5, t) for t in (99, 100, 101)]
    clock(monkeypatch, noisy, worse, noisy)
    assert latency(side(), side(), X).speedup[0] == 1.5
    clock(monkeypatch, worse, quiet)
    assert latency(side(), side(), X).speedup[0] == 20


def test_one_program_is_timed_once_and_is_as_fast_as_itself(monkeypatch):
    calls = []
    dense = sleeper(0.0005, calls)
    own = dense._replace(run=lambda batch: calls.append("other weights"))
    timed = latency(own, dense, X)
    assert timed.speedup == (1, 1, 1)
    assert timed.median_ms == timed.dense_median_ms >= 0.5
    assert set(calls) == {0.0005}
    before = len(calls)
    assert latency(own, dense, X) == timed
    assert len(calls) == before
    PROGRAMS.clear()
    latency(own, dense, X)
    assert len(calls) > before


def test_compiled_nets_are_timed():
    dense, other = compile_forward(net(), X), compile_forward(net(2.0), X)
    assert latency(other, dense, X).speedup == (1, 1, 1)  # other weights, same program
    timed = latency(compile_forward(net(width=5), X), dense, X)
    assert 0 < timed.median_ms <= timed.p95_ms
    assert timed.speedup[0] == pytest.approx(1.0, rel=0.9)
    assert timed.rounds >= module.ROUNDS
    assert np.isfinite(timed.speedup).all()
