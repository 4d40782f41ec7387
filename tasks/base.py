"""What a task is: dataset, fixed split, net, loss, metric, recipes and the dense result it must reach."""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
from flax import linen as nn

Arrays = dict[str, np.ndarray]


class Data(NamedTuple):
    """Decoded arrays, each split a dict whose leaves share their leading axis: one row per example."""

    train: Arrays
    valid: Arrays
    test: Arrays
    calibration: Arrays  # a fixed slice of train


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A training budget. The learning rate warms up linearly, then falls to 0 along a cosine."""

    steps: int
    batch_size: int
    learning_rate: float
    optimizer: str = "adamw"  # or "sgd" (Nesterov momentum 0.9)
    weight_decay: float = 0.0  # decoupled; on leaves with two or more axes only
    warmup: int = 0  # steps
    beta2: float = 0.999  # of AdamW: decay of the second moment
    clip: float | None = None  # largest global norm of a gradient


@dataclasses.dataclass(frozen=True)
class Metric:
    """Quality is the mean of the per-example outcomes."""

    name: str  # "accuracy", "bits per character"
    outcome: str  # what an outcome is: "correct" (0 or 1), "loss" or "edits"
    higher_is_better: bool


@dataclasses.dataclass(frozen=True)
class Task:
    """One row of `TASKS`. The functions are pure; `batch`, `loss` and `outcomes` run inside jit."""

    name: str
    version: int  # raised whenever a split or the metric changes: the board does not rank mixed versions
    modality: str  # "vision", "language" or "speech"
    source: str  # where the data comes from, and "synthetic" where it is
    net: nn.Module  # __call__(x, train: bool); `groups()` and `resize(sizes)` of tasks/nets
    load: Callable[[], Data]
    # (prepared arrays, rows [B], key | None) -> {"x": [B, ...], "y": ..., ...}; augments if given a key
    batch: Callable[[Arrays, Any, Any], dict[str, Any]]
    loss: Callable[[Any, dict[str, Any]], Any]  # (out, batch) -> [B]
    outcomes: Callable[[Any, dict[str, Any]], Any]  # (out, batch) -> [B]
    metric: Metric
    dense: Recipe
    recovery: Recipe
    eval_batch: int  # "the task's batch" of evaluation and latency
    reach: float  # test quality the dense net must reach, last step, every seed
    sweeps: Mapping[str, tuple[tuple[float, ...], ...]] = dataclasses.field(default_factory=dict, compare=False)  # shorter ones
    reference: float = 0.0
    offers: frozenset[str] = frozenset({"classes"})  # what methods may need of it, beside what its net tells
    teacher: nn.Module | None = None  # trained like the dense net, which teaches where there is none
    variant: Callable[[], str] = lambda: ""  # which copy of the data is in place, where several are in use
    prepare: Callable[[Arrays], Arrays] = lambda arrays: arrays  # once per split, on the device: audio features
    controls: Callable[[Data], dict[str, float]] = lambda data: {}  # e.g. a 3-gram model on the same split


def part(data: Data, share: float) -> Data:
    """The first `share` of the rows of train, valid and test; calibration as it is."""
    *splits, calibration = data
    cut = ({name: leaf[: max(1, round(share * len(leaf)))] for name, leaf in arrays.items()} for arrays in splits)
    return Data(*cut, calibration)


def prepared(task: Task, data: Data) -> Data:
    """All splits on the device, as `task.batch` takes them."""
    prepare = jax.jit(task.prepare)
    return Data(*(prepare(jax.device_put(split)) for split in data))


def rows(arrays: Arrays) -> int:
    """Number of examples in a split."""
    return len(next(iter(arrays.values())))


def fingerprint(data: Data) -> str:
    """SHA-256 over names, shapes, dtypes and bytes of the decoded arrays of all splits, first 16 hex digits."""
    digest = hashlib.sha256()
    for split in Data._fields:
        for name, array in sorted(getattr(data, split).items()):
            array = np.ascontiguousarray(array)
            digest.update(f"{split}/{name} {array.shape} {array.dtype.str}\n".encode())
            digest.update(array.tobytes())
    return digest.hexdigest()[:16]
