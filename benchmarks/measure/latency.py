"""Latency of a compiled net beside that of the dense one."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from methods.base import PyTree

ROUNDS = (7, 100)
"""At least and at most so many timed runs of each net."""
BUDGET = 0.1
"""Seconds of timing after which no round is added to the least number."""


class Latency(NamedTuple):
    """Milliseconds per batch, over the timed runs."""

    median_ms: float
    p95_ms: float
    dense_median_ms: float


def latency(run: Callable[[Any], Any], dense_run: Callable[[Any], Any], batch: PyTree) -> Latency:
    """Times `run(batch)` and `dense_run(batch)` in turn, so that what else the machine does hits both alike.

    Args:
        run: of what is timed, batch -> outputs; compiled.
        dense_run: of the dense net.
        batch: inputs, array [B, ...] or a tree of them, on the device before the clock starts.

    A run ends when its output is ready.
    """
    batch = jax.device_put(batch)
    for warm in (run, dense_run) * 2:
        jax.block_until_ready(warm(batch))
    least, most = ROUNDS
    times: list[tuple[float, float]] = []
    start = time.perf_counter()
    while len(times) < least or (len(times) < most and time.perf_counter() - start < BUDGET):
        times.append((_seconds(run, batch), _seconds(dense_run, batch)))
    ours, dense = 1e3 * np.array(times).T
    return Latency(float(np.median(ours)), float(np.percentile(ours, 95)), float(np.median(dense)))


def _seconds(run: Callable[[Any], Any], batch: PyTree) -> float:
    start = time.perf_counter()
    jax.block_until_ready(run(batch))
    return time.perf_counter() - start
