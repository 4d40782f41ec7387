"""Dropout (Srivastava et al. 2014) from random bytes."""

import jax
import jax.numpy as jnp
from flax import linen as nn


class Dropout(nn.Module):
    """`x` with a share `rate` of it zeroed and the rest scaled up; the rate is rounded to a multiple of 1/256.

    A random byte per scalar instead of nn.Dropout's word: on a CPU to draw them is a third of a small net's step.
    """

    rate: float

    @nn.compact
    def __call__(self, x):
        draws = jax.random.bits(self.make_rng("dropout"), x.shape, "uint8")
        zeroed = round(256 * self.rate)
        return jnp.where(draws >= zeroed, x * (256 / (256 - zeroed)), 0)


def dropout(x, rate: float, train: bool):
    """Inside a module: `Dropout` in training. Else no module at all, for taps to see."""
    return Dropout(rate)(x) if train and rate else x
