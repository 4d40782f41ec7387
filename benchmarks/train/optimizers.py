"""The optimizer that a recipe names."""

import functools

import jax
import optax

from tasks.base import Recipe


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
    """Returns the optimizer of a recipe. Raises ValueError for a name that the suite does not have."""
    decay = optax.add_decayed_weights(recipe.weight_decay, mask=_matrices)
    rate = optax.scale_by_learning_rate(schedule(recipe))
    clip = optax.clip_by_global_norm(recipe.clip) if recipe.clip else optax.identity()
    if recipe.optimizer == "adamw":
        return optax.chain(clip, optax.scale_by_adam(b2=recipe.beta2), decay, rate)
    if recipe.optimizer == "sgd":
        return optax.chain(clip, optax.trace(decay=0.9, nesterov=True), decay, rate)
    raise ValueError(f"optimizer is {recipe.optimizer!r}; it must be 'adamw' or 'sgd'")


def _matrices(tree):
    return jax.tree.map(lambda leaf: leaf.ndim >= 2, tree)
