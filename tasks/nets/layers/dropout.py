"""Dropout (Srivastava et al. 2014) from random bytes."""

import jax
import jax.numpy as jnp
from flax import linen as nn


class Dropout(nn.Dropout):
    """`x` with a share `rate` of it zeroed and the rest scaled up; the rate is rounded to a multiple of 1/256.

    A random byte per scalar instead of nn.Dropout's word: on a CPU to draw them is a third of a small net's step.
    """

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        draws = jax.random.bits(self.make_rng("dropout"), x.shape, "uint8")
        zeroed = round(256 * self.rate)
        return jnp.where(draws >= zeroed, x * (256 / (256 - zeroed)), 0)


def dropout(x: jax.Array, rate: float, train: bool) -> jax.Array:
    """Returns `x` with dropout in training, else `x` itself, without a module that taps would see.

    To be called inside a module's `__call__`.

    Args:
        x: of any shape.
        rate: share that is zeroed, in [0, 1).
        train: whether this is a step of training.
    """
    return Dropout(rate)(x) if train and rate else x
