"""Spoken digits of unseen voices: DS-CNN on log-mel features of synthesized speech. Accuracy.

The recipe of keyword spotting: Zhang et al. 2017 (arXiv 1711.07128); masks from SpecAugment, Park et al. 2019
(arXiv 1904.08779).
"""

import jax

from tasks.base import BATCH_NORM, DeviceArrays, Metric, Recipe, Task
from tasks.classification import correct, cross_entropy
from tasks.data.audio import log_mel
from tasks.data.synthetic import spoken_digits
from tasks.nets.dscnn import DSCNN
from tasks.speech.augment import masked_and_shifted

FEATURES = {"length": 256, "hop": 160, "bands": 24, "rate": 8000, "low": 100, "high": 4000}
SHIFT = 5  # frames, either way
MASK = (6, 4)  # longest mask: frames, mel bands


def prepare(arrays: DeviceArrays) -> DeviceArrays:
    """Returns x [N, 39, 24] float32, log-mel energies of mean 0, so that loudness does not matter, and y [N] int32."""
    x = log_mel(arrays["audio"] / 32768.0, **FEATURES)
    return {"x": x - x.mean((1, 2), keepdims=True), "y": arrays["y"]}


def batch(arrays: DeviceArrays, rows: jax.Array, key: jax.Array | None) -> DeviceArrays:
    """Returns x [B, 39, 24, 1] float32 and y [B] int32; augmented, x is shifted in time and masked.

    Args:
        arrays: a split, as `prepare` returns it.
        rows: [B] int32, the examples.
        key: of the augmentation; None for none.
    """
    x = arrays["x"][rows]
    if key is not None:
        x = masked_and_shifted(x, key, shift=SHIFT, mask=MASK)
    return {"x": x[..., None], "y": arrays["y"][rows]}


TASK = Task(
    name="spoken_digits",
    version=2,
    modality="speech",
    offers=BATCH_NORM,
    source="synthetic: ten digits from a source-filter synthesizer, test voices unseen in train",
    net=DSCNN(channels=(64, 64, 64), kernel=(10, 4), strides=(8, 4), classes=10),
    load=spoken_digits.load,
    prepare=prepare,
    batch=batch,
    loss=cross_entropy,
    outcomes=correct,
    metric=Metric("accuracy", "correct", higher_is_better=True),
    dense=Recipe(steps=1000, batch_size=32, learning_rate=5e-3, weight_decay=1e-2, warmup=50),
    recovery=Recipe(steps=600, batch_size=32, learning_rate=5e-3, weight_decay=1e-2, warmup=50),
    eval_batch=100,
    reach=0.95,
    reference=0.1,
    window=(10_200, 15_000),
    clusters=lambda arrays: arrays["speaker"],
    calibration=200,
    seeds=10,
)
