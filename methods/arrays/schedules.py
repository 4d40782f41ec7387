"""Schedules over training steps."""

import jax
import jax.numpy as jnp


def cubic(step: jax.Array | int, end: jax.Array, final: jax.Array) -> jax.Array:
    """Returns the sparsity at a step: final · (1 - (1 - step/end)³), float32 [].

    Zhu & Gupta 2017 (arXiv 1710.01878, eq. 1) with initial sparsity 0 and t₀ = 0. All arguments may be traced.

    Args:
      step: number of the step, int32 [].
      end: the step from which on the sparsity is final, int32 [].
      final: sparsity at the end, float32 [].
    """
    progress = jnp.clip(step / jnp.maximum(end, 1), 0.0, 1.0)
    return jnp.where(step >= end, final, final * (1.0 - (1.0 - progress) ** 3))
