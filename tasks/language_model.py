"""Batches, loss and outcome of every task that predicts the next token."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax

from tasks.base import Data, DeviceArrays
from tasks.data.ngram import bits_per_character


def windows(length: int) -> Callable[..., DeviceArrays]:
    """Returns the `batch` of a task over rows of tokens (see `tasks/data/text.py`).

    The batch holds x [B, T] int32 and y [B, T] int32, the tokens that follow each token of x, where T is `length`.
    Without a key a window starts at the row's first token; with one, at a random place of the first T.
    """

    def batch(arrays, rows, key):
        tokens = arrays["tokens"][rows]
        if key is not None:
            starts = jax.random.randint(key, (len(rows),), 0, length)
            cut = jax.vmap(lambda row, start: jax.lax.dynamic_slice(row, (start,), (length + 1,)))
            tokens = cut(tokens, starts)
        return {"x": tokens[:, :length], "y": tokens[:, 1 : length + 1]}

    return batch


def nats(out: jax.Array, batch: DeviceArrays) -> jax.Array:
    """Returns the mean cross-entropy per token, [B] nats, of logits [B, T, V] against batch["y"] [B, T] int."""
    return optax.softmax_cross_entropy_with_integer_labels(out, batch["y"]).mean(-1)


def bits(out: jax.Array, batch: DeviceArrays) -> jax.Array:
    """Returns `nats` in bits, [B]."""
    return nats(out, batch) / jnp.log(2.0)


def unigram(data: Data, length: int, vocabulary: int) -> float:
    """Returns the nats per token, on test, of a model that knows only how often each token occurs in train.

    The frequencies are smoothed as in `bits_per_character`, so that a token which train lacks still has a share.

    Args:
        data: splits of rows of tokens, as `windows` takes them.
        length: T, tokens predicted per window.
        vocabulary: number of different tokens.
    """
    train, test = data.train["tokens"][:, :length], data.test["tokens"][:, 1 : length + 1]
    return bits_per_character(train.ravel(), test.ravel(), order=1, vocabulary=vocabulary) * math.log(2)
