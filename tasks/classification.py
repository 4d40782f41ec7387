"""Loss and outcome of every task that puts an example into one of several classes."""

import jax
import jax.numpy as jnp
import optax

from tasks.base import DeviceArrays


def cross_entropy(out: jax.Array, batch: DeviceArrays) -> jax.Array:
    """Returns the cross-entropy, [B] nats, of logits [B, classes] against the classes batch["y"] [B] int."""
    return optax.softmax_cross_entropy_with_integer_labels(out, batch["y"])


def correct(out: jax.Array, batch: DeviceArrays) -> jax.Array:
    """Returns 1.0 where the largest of the logits [B, classes] is that of batch["y"] [B], else 0.0; [B] float32."""
    return (jnp.argmax(out, -1) == batch["y"]).astype(jnp.float32)
