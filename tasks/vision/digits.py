"""Handwritten digits: a small convolutional net on scikit-learn's 8 × 8 images. Accuracy; seconds to train."""

import jax
import jax.numpy as jnp

from tasks.base import DeviceArrays, Metric, Recipe, Task
from tasks.classification import correct, cross_entropy
from tasks.data import digits
from tasks.nets.convnet import ConvNet


def batch(arrays: DeviceArrays, rows: jax.Array, key: jax.Array | None) -> DeviceArrays:
    """Returns x [B, 8, 8, 1] float32 in [0, 1] and y [B] int32; augmented, images move by -1, 0 or 1 pixel each way.

    Args:
        arrays: a split, as `load` decodes it.
        rows: [B] int32, the examples.
        key: of the augmentation; None for none.
    """
    x, y = arrays["x"][rows], arrays["y"][rows]
    if key is not None:
        padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        corners = jax.random.randint(key, (len(x), 2), 0, 3)
        x = jax.vmap(lambda image, corner: jax.lax.dynamic_slice(image, (*corner, 0), (8, 8, 1)))(padded, corners)
    return {"x": x, "y": y}


TASK = Task(
    name="digits",
    version=2,
    modality="vision",
    source="scikit-learn load_digits (UCI Optical Recognition of Handwritten Digits, test part)",
    net=ConvNet(side=8, channels=(16, 32), hidden=128, classes=10),
    load=digits.load,
    batch=batch,
    loss=cross_entropy,
    outcomes=correct,
    metric=Metric("accuracy", "correct", higher_is_better=True),
    dense=Recipe(steps=900, batch_size=64, learning_rate=3e-3, weight_decay=1e-2, warmup=50),
    recovery=Recipe(steps=900, batch_size=64, learning_rate=6e-3, weight_decay=1e-2, warmup=50),
    eval_batch=200,
    reach=0.96,
    reference=0.1,
    window=(6_700, 16_000),
    calibration=200,
    seeds=10,
)
