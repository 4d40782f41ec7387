"""Spoken digits of unseen voices: DS-CNN on log-mel features of synthesized speech. Accuracy.

The recipe of keyword spotting: Zhang et al. 2017 (arXiv 1711.07128); masks from SpecAugment, Park et al. 2019
(arXiv 1904.08779).
"""

import jax
import jax.numpy as jnp

from tasks.base import Metric, Recipe, Task
from tasks.classification import correct, cross_entropy
from tasks.data import spoken_digits
from tasks.data.audio import log_mel
from tasks.nets.dscnn import DSCNN

FEATURES = {"length": 256, "hop": 160, "bands": 24, "rate": 8000, "low": 100, "high": 4000}
SHIFT = 5  # frames, either way
MASK = (6, 4)  # longest mask: frames, mel bands


def batch(arrays, rows, key):
    """x [B, 39, 24, 1] float32, log-mel energies of mean 0, y [B] int32; given a key, shifted in time and masked."""
    x = log_mel(arrays["audio"][rows] / 32768.0, **FEATURES)
    x -= x.mean((1, 2), keepdims=True)  # so that loudness does not matter
    if key is not None:
        x = jax.vmap(_augment)(x, jax.random.split(key, len(x)))
    return {"x": x[..., None], "y": arrays["y"][rows]}


def _augment(x, key):
    """[F, M] rolled in time, with one stretch of frames and one of bands set to 0."""
    shift, *masks = jax.random.split(key, 3)
    x = jnp.roll(x, jax.random.randint(shift, (), -SHIFT, SHIFT + 1), axis=0)
    time, band = (_mask(k, size, longest) for k, size, longest in zip(masks, x.shape, MASK, strict=True))
    return jnp.where(time[:, None] | band, 0.0, x)


def _mask(key, size, longest):
    """Bool [size], True along 0..longest places."""
    length, start = jax.random.split(key)
    length = jax.random.randint(length, (), 0, longest + 1)
    start = jax.random.randint(start, (), 0, size - length + 1)
    places = jnp.arange(size)
    return (places >= start) & (places < start + length)


TASK = Task(
    name="spoken_digits",
    version=1,
    modality="speech",
    source="synthetic: ten digits from a source-filter synthesizer (tasks/data/voice.py), test voices unseen in train",
    net=DSCNN(channels=(64, 64, 64, 64), kernel=(10, 4), strides=(8, 4), classes=10),
    load=spoken_digits.load,
    batch=batch,
    loss=cross_entropy,
    outcomes=correct,
    metric=Metric("accuracy", "correct", higher_is_better=True),
    dense=Recipe(steps=800, batch_size=32, learning_rate=5e-3, weight_decay=1e-2, warmup=50),
    recovery=Recipe(steps=270, batch_size=32, learning_rate=1.5e-3, weight_decay=1e-2, warmup=15),
    eval_batch=200,
    reach=0.95,
)
