"""Batches, loss and outcome of every task that predicts the next token."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax

from tasks.base import Data
from tasks.data.ngram import bits_per_character


def windows(length: int) -> Callable:
    """Returns the `batch` of a task over rows of tokens (see `tasks/data/text.py`).

    It makes x [B, T] int32 and y [B, T], the tokens that follow; given a key, from a random place in the row.
    T is `length`.
    """

    def batch(arrays, rows, key):
        tokens = arrays["tokens"][rows]
        if key is not None:
            starts = jax.random.randint(key, (len(rows),), 0, length)
            cut = jax.vmap(lambda row, start: jax.lax.dynamic_slice(row, (start,), (length + 1,)))
            tokens = cut(tokens, starts)
        return {"x": tokens[:, :length], "y": tokens[:, 1 : length + 1]}

    return batch


def nats(out, batch):
    """Mean cross-entropy per token of logits [B, T, V] against batch["y"] [B, T]; [B]."""
    return optax.softmax_cross_entropy_with_integer_labels(out, batch["y"]).mean(-1)


def bits(out, batch):
    """`nats` in bits."""
    return nats(out, batch) / jnp.log(2.0)


def unigram(data: Data, length: int, vocabulary: int) -> float:
    """Returns the nats per token, on test, of a model that knows only how often each token occurs in train.

    Args:
        data: splits of rows of tokens, as `windows` takes them.
        length: T, tokens predicted per window.
        vocabulary: number of tokens; one that train lacks still has a share, see `bits_per_character`.
    """
    train, test = data.train["tokens"][:, :length], data.test["tokens"][:, 1 : length + 1]
    return bits_per_character(train.ravel(), test.ravel(), order=1, vocabulary=vocabulary) * math.log(2)
