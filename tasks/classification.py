"""Loss and outcome of every task that puts an example into one of several classes."""

import jax.numpy as jnp
import optax


def cross_entropy(out, batch):
    """Of logits [B, classes] against batch["y"] [B], nats, [B]."""
    return optax.softmax_cross_entropy_with_integer_labels(out, batch["y"])


def correct(out, batch):
    """1.0 where the largest logit is the class, else 0.0; [B]."""
    return (jnp.argmax(out, -1) == batch["y"]).astype(jnp.float32)
