"""Schedules over training steps."""

import jax.numpy as jnp


def cubic(step, end, final):
    """Sparsity at `step`: final · (1 - (1 - step/end)³), and `final` from `end` on.

    Zhu & Gupta 2017 (arXiv 1710.01878, eq. 1) with initial sparsity 0 and t₀ = 0. All arguments may be traced.
    """
    progress = jnp.clip(step / jnp.maximum(end, 1), 0.0, 1.0)
    return jnp.where(step >= end, final, final * (1.0 - (1.0 - progress) ** 3))
