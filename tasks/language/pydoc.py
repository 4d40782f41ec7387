"""Character language model of Python's reference: a two-layer GPT. Bits per character, lower is better."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from tasks.base import Data, Metric, Recipe, Task
from tasks.data import pydoc
from tasks.data.ngram import bits_per_character
from tasks.nets.gpt import GPT


def batch(arrays, rows, key):
    """x [B, T] int32 and y [B, T], the characters that follow; given a key, from a random place in the row."""
    tokens = arrays["tokens"][rows]
    if key is not None:
        starts = jax.random.randint(key, (len(rows),), 0, pydoc.LENGTH)
        cut = jax.vmap(lambda row, start: jax.lax.dynamic_slice(row, (start,), (pydoc.LENGTH + 1,)))
        tokens = cut(tokens, starts)
    return {"x": tokens[:, : pydoc.LENGTH], "y": tokens[:, 1 : pydoc.LENGTH + 1]}


def loss(out, batch):
    """Mean cross-entropy per character, nats, [B]."""
    return optax.softmax_cross_entropy_with_integer_labels(out, batch["y"]).mean(-1)


def bits(out, batch):
    return loss(out, batch) / jnp.log(2.0)


def controls(data: Data) -> dict[str, float]:
    """A character 3-gram model on the same characters; unlike the net, it sees across the starts of windows."""
    train, test = (np.concatenate(arrays["tokens"][:, : pydoc.LENGTH]) for arrays in (data.train, data.test))
    return {"3-gram bits per character": bits_per_character(train, test, order=3, vocabulary=pydoc.VOCABULARY)}


TASK = Task(
    name="pydoc",
    version=1,
    modality="language",
    source="pydoc_data.topics of the running Python, repeated paragraphs removed; differs between Python versions",
    net=GPT(pydoc.VOCABULARY, pydoc.LENGTH, width=48, head_width=16, heads=(3, 3), mlp=(192, 192)),
    load=pydoc.load,
    batch=batch,
    loss=loss,
    outcomes=bits,
    metric=Metric("bits per character", "loss", higher_is_better=False),
    dense=Recipe(steps=1000, batch_size=16, learning_rate=6e-3, weight_decay=0.1, warmup=100),
    recovery=Recipe(steps=500, batch_size=16, learning_rate=4e-3, weight_decay=0.1, warmup=50),
    eval_batch=32,
    reach=2.45,
    controls=controls,
)
