"""MNIST: the perceptrons and the LeNet that papers on compression are judged on. Accuracy.

LeNet-300-100 and LeNet-5 (LeCun et al. 1998) as Han et al. 2015 (arXiv 1506.02626, table 1) prune them: 1.64 % and
0.80 % error, 1.59 % and 0.77 % with 12 times fewer weights. Recovery here is
5 epochs and one epoch long.
784-800-800-10 is the student of Hinton et al. 2015 (arXiv 1503.02531, §3), 1.46 % error, with its 1200-1200 teacher.
Pixels in [0, 1], no augmentation and no regularization; the paper's teacher had dropout and jittered images.
"""

from functools import partial

import jax
import jax.numpy as jnp

from tasks.base import DeviceArrays, Metric, Recipe, Strengths, Task
from tasks.classification import correct, cross_entropy
from tasks.data import mnist
from tasks.nets.convnet import lenet5
from tasks.nets.mlp import MLP


def batch(arrays: DeviceArrays, rows: jax.Array, key: jax.Array | None) -> DeviceArrays:
    """Returns x [B, 28, 28, 1] float32 in [0, 1] and y [B] int32. Nothing is augmented.

    Args:
        arrays: a split, as `load` decodes it.
        rows: [B] int32, the examples.
        key: not used.
    """
    return {"x": arrays["x"][rows].astype(jnp.float32) / 255, "y": arrays["y"][rows]}


# 0.92 is the paper's: 12 times fewer weights.
_ALL: Strengths = ((0.5,), (0.7,), (0.8,), (0.9,), (0.92,), (0.95,), (0.98,))
_SPARSITIES: dict[str, Strengths] = {"magnitude": _ALL}

_task = partial(
    Task,
    version=2,
    modality="vision",
    source="MNIST",
    load=mnist.load,
    batch=batch,
    loss=cross_entropy,
    outcomes=correct,
    metric=Metric("accuracy", "correct", higher_is_better=True),
    eval_batch=500,
    reference=0.1,
    margin=0.003,
)

LENET300 = _task(
    name="mnist_lenet300",
    net=MLP(784, (300, 100), 10),
    dense=Recipe(steps=8250, batch_size=100, learning_rate=2e-3, warmup=100),
    recovery=Recipe(steps=2750, batch_size=100, learning_rate=2e-3, warmup=50),
    reach=0.982,
    window=(61_000, 170_000),
    sweeps=_SPARSITIES,
)
LENET5 = _task(
    name="mnist_lenet5",
    net=lenet5(),
    dense=Recipe(steps=5500, batch_size=100, learning_rate=2e-3, warmup=100),
    recovery=Recipe(steps=550, batch_size=100, learning_rate=4e-3, warmup=50),
    reach=0.9905,
    window=(97_000, 280_000),
    sweeps=_SPARSITIES,
)
MLP800 = _task(
    name="mnist_mlp800",
    net=MLP(784, (800, 800), 10),
    teacher=MLP(784, (1200, 1200), 10),
    dense=Recipe(steps=8250, batch_size=100, learning_rate=1e-3, warmup=100),
    recovery=Recipe(steps=2750, batch_size=100, learning_rate=1e-3, warmup=50),
    reach=0.983,
    window=(290_000, 820_000),
)
