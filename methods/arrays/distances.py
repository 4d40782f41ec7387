"""Distances between what two nets make of one batch: means over the places that count."""

import jax
import jax.numpy as jnp


def mean(places: jax.Array, weight: jax.Array | None = None) -> jax.Array:
    """Returns the weighted mean over all axes, a scalar; 0 where nothing counts.

    Args:
      places: [...].
      weight: of each place, float, of the leading axes or of all of [...]; None counts every place once.
    """
    if weight is None:
        return jnp.mean(places)
    weight = over(places, weight)
    total = jnp.sum(weight)
    return jnp.sum(weight * places) / jnp.where(total > 0, total, 1)


def over(places: jax.Array, weight: jax.Array) -> jax.Array:
    """Returns the weight of each place, in the shape of `places` [...]; `weight` has its leading axes, or all."""
    return jnp.broadcast_to(weight.reshape(weight.shape + (1,) * (places.ndim - weight.ndim)), places.shape)


def divergence(target: jax.Array, out: jax.Array) -> jax.Array:
    """Returns KL(softmax(target) ‖ softmax(out)) at each place, [...] of logits [..., K]."""
    log_p, log_q = jax.nn.log_softmax(target), jax.nn.log_softmax(out)
    return jnp.sum(jnp.exp(log_p) * (log_p - log_q), axis=-1)


def squared(a: jax.Array, b: jax.Array, weight: jax.Array | None = None) -> jax.Array:
    """Returns the mean of (a - b)², a scalar.

    Args:
      a: features [..., C].
      b: features [..., C].
      weight: of each place, as `mean` takes it. It is left out where its axes are not the leading ones of [...]: a net
        that pools has fewer places inside than outputs.
    """
    fits = weight is not None and weight.ndim < a.ndim and a.shape[: weight.ndim] == weight.shape
    return mean(jnp.mean(jnp.square(a - b), axis=-1), weight if fits else None)
