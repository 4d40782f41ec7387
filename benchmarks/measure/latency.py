"""Latency of a compiled net beside that of the dense one."""

import time
from typing import Any, NamedTuple

import jax
import numpy as np

from benchmarks.measure.forward import Forward
from benchmarks.measure.programs import PROGRAMS
from methods.base import PyTree

ROUNDS, SECONDS = 30, 0.05
"""A measurement takes at least so many rounds and so long."""
FEWEST, LONGEST = 5, 1.0
"""One whose rounds are long ends after so many seconds with at least so many rounds."""
SPREAD, TRIES = 0.1, 3
"""A measurement whose quartiles lie further apart than this share of the median is repeated, up to so many in all."""


class Latency(NamedTuple):
    """Times of one batch size, over the rounds of the quietest measurement."""

    median_ms: float  # per batch
    p95_ms: float
    dense_median_ms: float
    speedup: tuple[float, float, float]  # median, lower and upper quartile over rounds of dense / own
    rounds: int


def latency(own: Forward, dense: Forward, batch: PyTree) -> Latency:
    """Times a net in turn with the dense one, so that what else the machine does hits both alike.

    Args:
        own: what is timed.
        dense: what it is compared with.
        batch: inputs, array [B, ...] or a tree of them, on the device before the clock starts.

    A run ends when its output is ready. Where both are one program, dense is timed alone, once a process, and the
    speed-up is 1.
    """
    batch = jax.device_put(batch)
    if own.compiled is dense.compiled:
        times = PROGRAMS.get(("latency", dense.compiled), lambda: _quietest((dense,), batch))
        return _summary(np.repeat(times, 2, axis=1))
    return _summary(_quietest((own, dense), batch))


def _summary(times: np.ndarray) -> Latency:
    own, dense = times.T
    low, middle, high = np.percentile(dense / own, (25, 50, 75))
    median_ms, p95_ms = 1e3 * np.percentile(own, (50, 95))
    speedup = float(middle), float(low), float(high)
    return Latency(float(median_ms), float(p95_ms), float(1e3 * np.median(dense)), speedup, len(times))


def _quietest(sides: tuple[Forward, ...], batch: PyTree) -> np.ndarray:
    """Seconds [rounds, sides] of the measurement whose quartiles lie closest together."""
    for side in sides * 2:
        jax.block_until_ready(side.run(batch))
    found = []
    while len(found) < TRIES and not (found and found[-1][0] <= SPREAD):
        times = _measurement(sides, batch)
        found.append((_spread(times), times))
    return min(found, key=lambda pair: pair[0])[1]


def _spread(times: np.ndarray) -> float:
    """The distance of the quartiles over the median: of the ratios of a pair, of the times of one side alone."""
    low, middle, high = np.percentile(times[:, -1] / times[:, 0] if times.shape[1] > 1 else times, (25, 50, 75))
    return float((high - low) / middle)


def _measurement(sides: tuple[Forward, ...], batch: PyTree) -> np.ndarray:
    times: list[list[float]] = []
    start = time.perf_counter()
    while not _enough(len(times), time.perf_counter() - start):
        times.append([_seconds(side, batch) for side in sides])
    return np.array(times)


def _enough(rounds: int, seconds: float) -> bool:
    return (rounds >= ROUNDS and seconds >= SECONDS) or (rounds >= FEWEST and seconds >= LONGEST)


def _seconds(side: Forward, batch: Any) -> float:
    start = time.perf_counter()
    jax.block_until_ready(side.run(batch))
    return time.perf_counter() - start
