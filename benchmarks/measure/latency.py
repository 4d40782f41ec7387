"""Latency of a compiled net beside that of the dense one."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

ROUNDS = (7, 100)
"""At least and at most so many timed runs of each net."""
BUDGET = 0.1
"""Seconds of timing after which no round is added to the least number."""


class Latency(NamedTuple):
    """Milliseconds per batch."""

    median_ms: float
    p95_ms: float
    dense_median_ms: float


def latency(run: Callable[[Any], Any], dense_run: Callable[[Any], Any], batch) -> Latency:
    """Times `run(batch)` and `dense_run(batch)` in turn, so that what else the machine does hits both alike.

    `batch` is on the device before the clock starts; a run ends when its output is ready.
    """
    batch = jax.device_put(batch)
    for warm in (run, dense_run) * 2:
        jax.block_until_ready(warm(batch))
    times, least, most = [], *ROUNDS
    start = time.perf_counter()
    while len(times) < least or (len(times) < most and time.perf_counter() - start < BUDGET):
        times.append((_seconds(run, batch), _seconds(dense_run, batch)))
    ours, dense = 1e3 * np.array(times).T
    return Latency(float(np.median(ours)), float(np.percentile(ours, 95)), float(np.median(dense)))


def _seconds(run, batch) -> float:
    start = time.perf_counter()
    jax.block_until_ready(run(batch))
    return time.perf_counter() - start
