"""The optimizer that a recipe names, as PyTorch and the papers mean it.

Weight decay and clipping are the recipe's way with the weights: they touch "params" alone. What a method owns, "train",
takes the same optimizer without either; a method that wants a penalty on its own leaves adds it to the loss.
"""

import functools

import jax
import jax.numpy as jnp
import optax

from methods.base import PyTree
from tasks.base import Recipe

MOMENTUM = 0.9
"""Of SGD."""
CLIPPED = {"params": True, "train": False}


def schedule(recipe: Recipe) -> optax.Schedule:
    """Returns the learning rate by step: linear warm-up, then a cosine to 0."""
    return optax.warmup_cosine_decay_schedule(
        init_value=0.0 if recipe.warmup else recipe.learning_rate,
        peak_value=recipe.learning_rate,
        warmup_steps=recipe.warmup,
        decay_steps=recipe.steps,
    )


@functools.cache
def optimizer(recipe: Recipe) -> optax.GradientTransformation:
    """Returns the optimizer of {"params": the weights, "train": a method's leaves}; its update reads both.

    "adamw" decays weights beside its steps; "sgd", as its papers do, adds the decay to the gradient before the
    momentum. Raises ValueError for a name that the suite does not have.
    """
    decay = optax.add_decayed_weights(recipe.weight_decay, mask=_matrices)
    rate = optax.scale_by_learning_rate(schedule(recipe))
    clip = optax.masked(optax.clip_by_global_norm(recipe.clip), CLIPPED) if recipe.clip else optax.identity()
    if recipe.optimizer == "adamw":
        return optax.chain(clip, optax.scale_by_adam(b2=recipe.beta2), decay, rate)
    if recipe.optimizer == "sgd":
        return optax.chain(clip, decay, optax.trace(decay=MOMENTUM, nesterov=True), rate)
    raise ValueError(f"optimizer is {recipe.optimizer!r}; it must be 'adamw' or 'sgd'")


def _matrices(leaves: PyTree) -> PyTree:
    """Where weights decay: leaves with two or more axes, of the net only."""
    return {
        "params": jax.tree.map(lambda leaf: leaf.ndim >= 2, leaves["params"]),
        "train": jax.tree.map(lambda leaf: False, leaves["train"]),
    }


def update(
    tx: optax.GradientTransformation,
    moments: PyTree,
    leaves: PyTree,
    grads: PyTree,
    keep: PyTree | None,
    rate: jax.Array | float,
) -> tuple[PyTree, PyTree]:
    """Returns {"params", "train"} after one step, and the moments.

    Args:
      tx: the optimizer.
      moments: its state.
      leaves: {"params": the weights, "train": a method's leaves}.
      grads: like `leaves`.
      keep: None, or bools that broadcast against "params". Where they are False a weight is frozen: its moments start
        anew and it does not decay, so that it moves by its gradient alone.
      rate: factor on the recipe's learning rate.
    """
    decaying = leaves
    if keep is not None:  # as a step begins, where it costs no pass of its own
        kept = {"params": keep, "train": jax.tree.map(lambda _: True, leaves["train"])}
        moments = optax.tree.map_params(tx, lambda m, k: jnp.where(k, m, 0), moments, kept)
        decaying = jax.tree.map(lambda leaf, k: jnp.where(k, leaf, 0), leaves, kept)
    updates, moments = tx.update(grads, moments, decaying)
    updates = jax.tree.map(lambda u: u * jnp.asarray(rate, u.dtype), updates)
    return optax.apply_updates(leaves, updates), moments
