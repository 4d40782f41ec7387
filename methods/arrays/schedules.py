"""Schedules over training steps."""

import jax
import jax.numpy as jnp


def cubic(step: jax.Array | int, end: jax.Array) -> jax.Array:
    """Returns the share of the final sparsity at a step: 1 - (1 - step/end)³, float32 []; 1 from the end on.

    Zhu & Gupta 2017 (arXiv 1710.01878, eq. 1) with initial sparsity 0 and t₀ = 0. Both arguments may be traced.

    Args:
      step: number of the step, int32 [].
      end: the step from which on the sparsity is final, int32 [].
    """
    progress = jnp.clip(step / jnp.maximum(end, 1), 0.0, 1.0)
    return jnp.where(step >= end, 1.0, 1.0 - (1.0 - progress) ** 3)


def half_cosine(step: jax.Array | int, end: jax.Array) -> jax.Array:
    """Returns (1 + cos(π · step/end)) / 2, float32 []: from 1 at step 0 down to 0, and 0 from the end on.

    Evci et al. 2020 (arXiv 1911.11134, §3, "Update schedule"), but for its factor α.

    Args:
      step: number of the step, int32 [].
      end: the step from which on it is 0, int32 [].
    """
    return jnp.where(step >= end, 0.0, (1 + jnp.cos(jnp.pi * step / jnp.maximum(end, 1))) / 2)


def is_due(step: jax.Array, end: jax.Array, times: int) -> jax.Array:
    """Returns, bool [], whether `step` is one of `times` that lie evenly in 1..end, of which `end` is the last.

    At every step up to the end where there are fewer than `times`.

    Args:
      step: number of the step, int32 [], from 1; below 2³¹ / times.
      end: the last one that is due, int32 [].
      times: how many are due.
    """
    done, before = (now * times // jnp.maximum(end, 1) for now in (step, step - 1))
    return (step <= end) & (done > before)
