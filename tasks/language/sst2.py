"""SST-2, the sentiment of film reviews: a small transformer encoder from scratch. Accuracy on GLUE's dev part.

The net is the suite's own.
"""

import jax
import jax.numpy as jnp

from tasks.base import TRANSFORMER, DeviceArrays, Metric, Recipe, Task
from tasks.classification import correct, cross_entropy
from tasks.data import sst2
from tasks.nets.encoder import encoder

WORD_DROPOUT = 0.2
"""Share of the pieces that training hides, lest the net learn them by heart: the word dropout of Iyyer et al. 2015."""


def batch(arrays: DeviceArrays, rows: jax.Array, key: jax.Array | None) -> DeviceArrays:
    """Returns x [B, 48] int32 pieces of words, 0 behind the last, and y [B] int32; augmented, some pieces are UNKNOWN.

    Args:
        arrays: a split, as `load` decodes it.
        rows: [B] int32, the examples.
        key: of the augmentation; None for none.
    """
    x = arrays["ids"][rows]
    if key is not None:
        hidden = jax.random.bernoulli(key, WORD_DROPOUT, x.shape) & (x != sst2.PADDING)
        x = jnp.where(hidden, sst2.UNKNOWN, x)
    return {"x": x, "y": arrays["y"][rows]}


TASK = Task(
    name="sst2_encoder",
    version=2,
    modality="language",
    offers=TRANSFORMER,
    source="SST-2 of GLUE, test is its dev part; 8,000 pieces learned from train",
    net=encoder(sst2.VOCABULARY, sst2.LENGTH, layers=2, width=64, heads=4, classes=2, dropout=0.3),
    load=sst2.load,
    batch=batch,
    loss=cross_entropy,
    outcomes=correct,
    metric=Metric("accuracy", "correct", higher_is_better=True),
    dense=Recipe(steps=2500, batch_size=32, learning_rate=1e-3, weight_decay=0.1, warmup=100, clip=1.0),
    recovery=Recipe(steps=1000, batch_size=32, learning_rate=3e-3, weight_decay=0.1, warmup=50, clip=1.0),
    eval_batch=109,
    reach=0.80,
    reference=0.5,
    window=(170_000, 410_000),
)
