"""Which weights to keep: exact masks from scores, and the schedule of gradual pruning."""

import jax.numpy as jnp


def keep_largest(scores, sparsity):
    """Mask, bool, of `scores`' shape, that keeps the n - round(sparsity · n) entries of largest score, exactly.

    `sparsity []` may be traced. Ties go to the later entry, so that the count is exact.
    """
    size = scores.size
    pruned = jnp.round(sparsity * size).astype(jnp.int32)
    ascending = jnp.argsort(scores.ravel(), stable=True)
    mask = jnp.zeros(size, bool).at[ascending].set(jnp.arange(size) >= pruned)
    return mask.reshape(scores.shape)


def cubic(step, end, final):
    """Sparsity at `step`: final · (1 - (1 - step/end)³), and `final` from `end` on.

    Zhu & Gupta 2017 (arXiv 1710.01878, eq. 1) with initial sparsity 0 and t₀ = 0. All arguments may be traced.
    """
    progress = jnp.clip(step / jnp.maximum(end, 1), 0.0, 1.0)
    return jnp.where(step >= end, final, final * (1.0 - (1.0 - progress) ** 3))
