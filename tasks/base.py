"""What a task is: dataset, fixed split, net, loss, metric, recipes and the dense result it must reach."""

import dataclasses
import hashlib
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

import jax
import numpy as np
from flax import linen as nn

from tasks.nets.spec import register

Arrays = dict[str, np.ndarray]  # of a split, as decoded
DeviceArrays = dict[str, jax.Array]  # of a split or a batch, on the device; traced inside jit
Strengths = tuple[tuple[float, ...], ...]  # each a method's knobs, one number per knob

POOL = 1000
"""Rows of train that calibration is drawn from."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,99}")  # fit for a file name
TRANSFORMER = frozenset({"classes", "blocks"})
"""What tasks whose net is a transformer offer: Linears in blocks apart from embeddings and head."""
BATCH_NORM = frozenset({"classes", "batch_norm"})
"""What tasks offer whose net has batch norm."""
THREE_OF_EACH: dict[str, Strengths] = {
    "lsq": ((4.0,), (3.0,), (2.0,)),
    "magnitude": ((0.5,), (0.8,), (0.9,)),
    **dict.fromkeys(("channels", "random_channels", "kd", "student"), ((0.75,), (0.5,), (0.25,))),
    "magnitude_rtn": ((0.5, 8.0), (0.5, 4.0), (0.75, 4.0)),
}
"""`sweeps` of tasks whose steps take long: three strengths for each method that trains."""


class Data(NamedTuple):
    """Decoded arrays, each split a dict whose leaves share their leading axis: one row per example."""

    train: Arrays
    valid: Arrays
    test: Arrays
    calibration: Arrays  # a fixed pool within train, of which each seed draws equally many


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A training budget. The learning rate warms up linearly, then falls to 0 along a cosine."""

    steps: int
    batch_size: int
    learning_rate: float
    optimizer: str = "adamw"  # or "sgd", with Nesterov momentum 0.9
    weight_decay: float = 0.0  # of weights with two axes or more: beside AdamW's step, in the gradient of SGD
    warmup: int = 0  # steps
    beta2: float = 0.999  # of AdamW: decay of the second moment
    clip: float | None = None  # largest global norm of the gradient of all weights


@dataclasses.dataclass(frozen=True)
class Metric:
    """Quality is the mean of the per-example outcomes."""

    name: str  # "accuracy", "bits per character"
    outcome: Literal["correct", "loss", "edits"]  # what an outcome is: "correct" (0 or 1), "loss" or "edits"
    higher_is_better: bool


@dataclasses.dataclass(frozen=True)
class Task:
    """One row of `TASKS`. The functions are pure; `batch`, `loss` and `outcomes` run inside jit.

    Raises ValueError, naming the field, for what no task can be. Its nets become known to `net_from_json`.
    """

    name: str
    version: int  # raised whenever a split or the metric changes: the board does not rank mixed versions
    modality: str  # "vision", "language" or "speech"
    source: str  # where the data comes from, and "synthetic" where it is
    net: nn.Module  # __call__(x, train: bool); `groups()` and `resize(sizes)` of tasks/nets
    load: Callable[[], Data]
    # (prepared arrays, rows [B], key | None) -> {"x": [B, ...], "y": ..., ...}; augments if given a key.
    # "weight", float [B, ...], says which places of the output count, where some are padding
    batch: Callable[[Any, Any, Any], DeviceArrays]
    loss: Callable[[Any, DeviceArrays], jax.Array]  # (out, batch) -> [B]
    outcomes: Callable[[Any, DeviceArrays], jax.Array]  # (out, batch) -> [B]
    metric: Metric
    dense: Recipe
    recovery: Recipe
    eval_batch: int  # "the task's batch" of evaluation and latency
    reach: float  # test quality the dense net must reach, last step, every seed
    reference: float | Callable[[Data], float]  # quality of an answer that ignores its input: where scores start
    # (train or test, as decoded) -> int [N]: examples of one cluster depend on each other; None where none do
    clusters: Callable[[Arrays], np.ndarray | None] = lambda arrays: None
    margin: float = 0.01  # a difference in quality below which two nets are as good as each other
    # bytes, least and most, over which curves are scored: what the sweeps of quantizers and of pruners both cover,
    # about half as much again as rounding to 2 bits takes and two thirds of what 8 bits take
    window: tuple[int, int] | None = None
    calibration: int = 256  # examples that each seed draws of the pool
    seeds: int = 3  # that a record of this task has
    teacher: nn.Module | None = None  # trained like the dense net, which teaches where there is none
    variant: Callable[[], str] = lambda: ""  # which copy of the data is in place, where several are in use
    prepare: Callable[[Any], DeviceArrays] = lambda arrays: arrays  # once per split, on the device: audio features
    controls: Callable[[Data], dict[str, float]] = lambda data: {}  # e.g. a 3-gram model on the same split
    offers: frozenset[str] = frozenset({"classes"})  # what methods may need: outputs that are logits of classes
    # strengths by method, where its own sweep takes too long or a paper has others
    sweeps: Mapping[str, Strengths] = dataclasses.field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise ValueError(f"task {self.name!r}: {problem}")
        for field in ("net", "teacher"):
            if (net := getattr(self, field)) is not None:
                register(type(net), f"task {self.name!r}: {field}")


KINDS = {
    **dict.fromkeys(("name", "source"), str),
    "net": nn.Module,
    "teacher": nn.Module | None,
    "metric": Metric,
    **dict.fromkeys(("dense", "recovery"), Recipe),
    **dict.fromkeys(("load", "batch", "loss", "outcomes", "variant", "prepare", "controls", "clusters"), Callable),
    "sweeps": Mapping,
}
COUNTS = (
    "version",
    "eval_batch",
    "calibration",
    "seeds",
    "dense.steps",
    "dense.batch_size",
    "recovery.steps",
    "recovery.batch_size",
)
CHOICES = {"modality": ("vision", "language", "speech"), "metric.outcome": ("correct", "loss", "edits")}


def _problems(task: Task) -> Iterator[str]:
    """Yields a line that names the field for each that is wrong by itself; the first may entail the others."""
    for field, kind in KINDS.items():
        value = getattr(task, field)
        if not isinstance(value, kind):
            yield f"{field} is a {type(value).__name__}; it must be an instance of {getattr(kind, '__name__', kind)}"
    if not NAME.fullmatch(task.name):
        yield "name must be a letter or digit, then at most 99 letters, digits and any of _ . + -"
    for field, choices in CHOICES.items():
        if _dig(task, field) not in choices:
            yield f"{field} is {_dig(task, field)!r}; it must be one of {', '.join(choices)}"
    for field in COUNTS:
        value = _dig(task, field)
        if type(value) is not int or value < 1:
            yield f"{field} is {value!r}; it must be a whole number, 1 or more"
    for field in ("dense", "recovery"):
        recipe = getattr(task, field)
        if not 0 <= recipe.warmup < recipe.steps:
            yield f"{field}.warmup is {recipe.warmup!r}; it must be from 0 to {field}.steps - 1, {recipe.steps - 1}"
    yield from _problems_of_quality(task)


def _problems_of_quality(task: Task) -> Iterator[str]:
    if not _finite(task.reach):
        yield f"reach is {task.reach!r}; it must be a finite number"
    if not _finite(task.reference) and not callable(task.reference):
        yield f"reference is {task.reference!r}; it must be a finite number or a function of the data"
    if not _finite(task.margin) or task.margin <= 0:
        yield f"margin is {task.margin!r}; it must be a finite number above 0"
    if task.window is not None and not _is_window(task.window):
        yield f"window is {task.window!r}; it must be two whole numbers of bytes, the smaller first"
    for method, strengths in task.sweeps.items():
        if not _is_sweep(strengths):
            yield f"sweeps.{method} is {strengths!r}; it must be a tuple of tuples of floats, such as ((4.0,), (2.0,))"


def _dig(node: Any, path: str) -> Any:
    for name in path.split("."):
        node = getattr(node, name)
    return node


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_window(value: Any) -> bool:
    return isinstance(value, tuple) and list(map(type, value)) == [int, int] and 0 < value[0] < value[1]


def _is_sweep(value: Any) -> bool:
    def tuple_of(fits: Callable, items: Any) -> bool:
        return isinstance(items, tuple) and len(items) > 0 and all(map(fits, items))

    return tuple_of(lambda strength: tuple_of(lambda knob: isinstance(knob, float), strength), value)


def reference(task: Task, data: Data) -> float:
    """Returns the quality of an answer that ignores its input, in the task's metric."""
    return float(task.reference(data) if callable(task.reference) else task.reference)


def pooled(train: Arrays, valid: Arrays, test: Arrays) -> Data:
    """Returns the splits with the pool of calibration: POOL rows of train, drawn by one seed; all where it has fewer.

    Args:
      train: arrays whose leaves share their leading axis.
      valid: the same of valid.
      test: the same of test.
    """
    order = np.random.Generator(np.random.PCG64(POOL)).permutation(count(train))  # classes may take turns in train
    rows = np.sort(order[:POOL])
    return Data(train, valid, test, {name: leaf[rows] for name, leaf in train.items()})


def part(data: Data, share: float) -> Data:
    """Returns the first `share`, in (0, 1], of the rows of train, valid and test; calibration as it is."""
    *splits, calibration = data
    train, valid, test = (
        {name: leaf[: max(1, round(share * len(leaf)))] for name, leaf in arrays.items()} for arrays in splits
    )
    return Data(train, valid, test, calibration)


def prepared(task: Task, data: Data) -> Data:
    """Returns all splits on the device, as `task.batch` takes them."""
    prepare = jax.jit(task.prepare)
    return Data(*(prepare(jax.device_put(split)) for split in data))


def count(arrays: Arrays) -> int:
    """Returns the number of examples in a split."""
    return len(next(iter(arrays.values())))


def fingerprint(data: Data) -> str:
    """Returns the first 16 hex digits of SHA-256 over names, shapes, dtypes and bytes of the arrays of all splits."""
    digest = hashlib.sha256()
    for split in Data._fields:
        for name, array in sorted(getattr(data, split).items()):
            array = np.ascontiguousarray(array)
            digest.update(f"{split}/{name} {array.shape} {array.dtype.str}\n".encode())
            digest.update(array.tobytes())
    return digest.hexdigest()[:16]
