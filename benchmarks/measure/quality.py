"""Quality: one outcome per example, whatever the batch size; the metric is their mean."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import numpy as np

from tasks.base import Arrays, Task, count

DRAW = 1
"""Sets the draw of calibration examples apart from whatever else a seed governs."""


@partial(jax.jit, static_argnums=0)
def gather(task: Task, arrays: Arrays, picked: np.ndarray) -> dict[str, Any]:
    """Returns the batch of some rows, without augmentation.

    Args:
      task: whose `batch` makes it.
      arrays: the split, on the device.
      picked: int32 [B], the rows.
    """
    return task.batch(arrays, picked, None)


@partial(jax.jit, static_argnums=0)
def _score(task: Task, out: Any, batch: dict[str, Any]) -> jax.Array:
    return task.outcomes(out, batch)


def batches(task: Task, arrays: Arrays) -> Iterator[tuple[dict[str, Any], int]]:
    """Yields (batch, count) over a whole split at the task's batch size.

    The last batch repeats its last row to stay full; only the first `count` of a batch are examples.
    """
    size = count(arrays)
    for first in range(0, size, task.eval_batch):
        picked = np.minimum(np.arange(first, first + task.eval_batch), size - 1)
        yield gather(task, arrays, picked), min(task.eval_batch, size - first)


def outcomes(task: Task, run: Callable[[Any], Any], arrays: Arrays) -> np.ndarray:
    """Returns the outcome of each example, float32 [N].

    Args:
        task: says what an outcome is.
        run: the net, inputs [B, ...] -> outputs, arrays or trees of them.
        arrays: the split.
    """
    scored = [_score(task, run(batch["x"]), batch)[:count] for batch, count in batches(task, arrays)]
    return np.concatenate(jax.device_get(scored)).astype(np.float32)


def quality(values: np.ndarray) -> float:
    """Returns the metric, the mean over examples, summed in float64."""
    return float(np.mean(values, dtype=np.float64))


class Calibration:
    """Batches of calibration examples, iterable again and again; `examples` counts the distinct ones taken.

    Each seed draws as many of the pool as the task asks for, without replacement; all where the pool has no more.
    """

    def __init__(self, task: Task, arrays: Arrays, seed: int = 0) -> None:
        self._task, self._arrays, self.examples = task, arrays, 0
        size = count(arrays)
        drawn = np.random.default_rng([seed, DRAW]).permutation(size)[: task.calibration]
        self._rows = np.sort(drawn).astype(np.int32)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for first in range(0, len(self._rows), self._task.eval_batch):
            picked = self._rows[first : first + self._task.eval_batch]
            self.examples = max(self.examples, first + len(picked))
            yield gather(self._task, self._arrays, picked)
