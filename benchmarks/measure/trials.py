"""Trials: what a net would come to, for methods that choose between nets. Numbers alone leave this room."""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.artifact.file import packed
from benchmarks.measure.counts import count
from benchmarks.measure.forward import compile_forward
from benchmarks.measure.quality import Calibration, batches
from methods.arrays.distances import divergence, over
from methods.base import PyTree, Shipped, Split, Trial
from methods.flaxnet import batch_size
from methods.transforms.transform import decoded
from tasks.base import Arrays, Task


def trial_of(
    task: Task, calibration: Calibration, valid: Arrays, dense: PyTree, example: PyTree
) -> Callable[[Shipped, Split], Trial]:
    """Returns the function that tries a net on a split; each call is counted in `calibration.taken`.

    Args:
      task: whose loss it is.
      calibration: one split: its examples are drawn once more, and their labels used.
      valid: the other, on the device: its labels are used.
      dense: variables of the task's net, whose predictions others are held against.
      example: one input [1, ...], or a tree of them.
    """
    reference = Shipped(task.net, dense)

    def drawn(split) -> Iterator[tuple[PyTree, int]]:
        if split == "calibration":
            yield from ((batch.used(), batch_size(batch["x"])) for batch in calibration)
        for batch, size in batches(task, valid) if split == "valid" else ():
            calibration.taken.labelled += size
            yield batch, size

    def trial(shipped: Shipped, split: Split) -> Trial:
        if split not in ("calibration", "valid"):
            raise ValueError(f"split is {split!r}; a trial is on 'calibration' or 'valid'")
        floats, totals = shipped._replace(variables=decoded(shipped.variables)), np.zeros(4)
        for batch, size in drawn(split):
            outs = (compile_forward(one, batch["x"]).run(batch["x"]) for one in (floats, reference))
            sums = jax.device_get(_scored(task, *outs, batch))
            totals += [size, *(np.sum(values[:size], dtype=np.float64) for values in sums)]
        examples, loss, divergence, places = totals.tolist()
        counts = count(shipped, example)
        return Trial(
            loss=loss / examples,
            divergence=divergence / places if places else math.nan,
            bytes=len(packed(shipped, example)),
            macs=math.ceil(counts.effective_macs),
            bops=counts.bops,
        )

    return trial


@partial(jax.jit, static_argnums=0)
def _scored(task: Task, out: Any, target: Any, batch: PyTree) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Returns (loss, Σ weight · KL(target ‖ out) over the places, Σ weight of the places), each [B]."""
    losses = task.loss(out, batch)
    if "classes" not in task.offers:
        return losses, jnp.zeros_like(losses), jnp.zeros_like(losses)
    places = divergence(target, out)
    weight = over(places, batch.get("weight", jnp.ones(len(places))))
    rest = tuple(range(1, places.ndim))
    return losses, jnp.sum(weight * places, axis=rest), jnp.sum(weight, axis=rest)
