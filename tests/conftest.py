"""A tiny task that every generic test shares: 3 classes of noisy 8×8 images, a small conv net."""

import itertools
import re
from pathlib import Path

import jax
import numpy as np
import optax
import pytest

from benchmarks.measure.programs import PROGRAMS
from tasks.base import Data, Metric, Recipe, Task
from tasks.nets.convnet import ConvNet

SLOW_FILES = re.compile(r"contract|configs|nets|conv|published|step|resume|sharding|memory|speed|sweep|verify|teacher")
SLOW_FIXTURES = {"tiny_dense", "browser"}
"""What makes a test slow: a word in its path, or a fixture that trains or starts a browser. Others have the marker."""
LOOK, MOST_MAPS = 20, 30_000
"""After how many tests memory maps are counted, and how many there may be of the 65,530 that Linux grants."""


def pytest_collection_modifyitems(items):
    for item in items:
        path = str(item.path.relative_to(Path(__file__).parent))
        if SLOW_FILES.search(path) or SLOW_FIXTURES & set(item.fixturenames):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def _few_memory_maps(tests=itertools.count(1)):  # noqa: B008 - one count for all tests of a process
    """Programs are freed before a process has too many memory maps for the compiler, see `Programs.clear`."""
    yield
    maps = Path("/proc/self/maps")
    if next(tests) % LOOK == 0 and maps.exists() and maps.read_bytes().count(b"\n") > MOST_MAPS:
        PROGRAMS.clear()


def _split(count, seed):
    rng = np.random.default_rng(seed)
    y = np.arange(count) % 3
    x = rng.normal(0, 0.3, (count, 8, 8, 1)) + y[:, None, None, None] * np.linspace(-1, 1, 8)[:, None, None]
    return {"x": x.astype(np.float32), "y": y.astype(np.int32)}


def _load():
    train = _split(48, 0)
    return Data(train, _split(10, 1), _split(11, 2), {name: a[:8] for name, a in train.items()})


def _batch(arrays, rows, key):
    return {"x": arrays["x"][rows], "y": arrays["y"][rows]}


TINY = Task(
    name="tiny",
    version=1,
    modality="vision",
    source="made in tests",
    net=ConvNet(side=8, channels=(4, 4), hidden=8, classes=3),
    load=_load,
    batch=_batch,
    loss=lambda out, batch: optax.softmax_cross_entropy_with_integer_labels(out, batch["y"]),
    outcomes=lambda out, batch: (out.argmax(-1) == batch["y"]).astype("float32"),
    metric=Metric("accuracy", "correct", higher_is_better=True),
    dense=Recipe(steps=12, batch_size=8, learning_rate=1e-2),
    recovery=Recipe(steps=6, batch_size=8, learning_rate=1e-3),
    eval_batch=4,
    reach=0.0,
    reference=1 / 3,
)


@pytest.fixture(scope="session")
def tiny():
    return TINY


@pytest.fixture(scope="session")
def tiny_data():
    return jax.device_put(_load())


@pytest.fixture(scope="session")
def tiny_dense(tiny, tiny_data, tmp_path_factory):
    """The trained dense net of the tiny task, seeds 0 and 1."""
    from benchmarks.measure.clock import Clock
    from benchmarks.plan.config import Loop
    from benchmarks.sweep.dense import train_dense
    from benchmarks.train.optimize import Watch

    folder = tmp_path_factory.mktemp("dense")
    return [train_dense(tiny, tiny_data, seed, folder / str(seed), Watch(Loop(), Clock())) for seed in (0, 1)]
