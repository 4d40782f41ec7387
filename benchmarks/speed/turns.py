"""What one thing takes of another's time: both in turn, on one pinned core, by the CPU time that the process takes.

Wall time on a busy machine measures the others: a step over the same step in PyTorch came out between 0.06 and 1.66.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import jax
import numpy as np


class Ratio(NamedTuple):
    """The quartiles of a ratio over rounds."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        """Returns "1.17 (1.15-1.20)"."""
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f})"


@contextlib.contextmanager
def pinned() -> Iterator[None]:
    """Keeps this thread, and those that it starts, on one core, where the system can do that.

    It is for before JAX has started, whose number of threads is that of the cores it sees.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def seconds(work: Callable[[], object]) -> float:
    """Returns the CPU time of this process, all its threads, that `work` takes; on an accelerator, the wall time."""
    clock = time.process_time if jax.default_backend() == "cpu" else time.perf_counter
    start = clock()
    jax.block_until_ready(work())
    return clock() - start


def ratio(times: Sequence[float], others: Sequence[float]) -> Ratio:
    """Returns the ratio of two lists of times, round by round."""
    low, median, high = np.percentile(np.divide(times, others), (25, 50, 75))
    return Ratio(float(median), float(low), float(high))
