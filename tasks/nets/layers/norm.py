"""Batch normalization (Ioffe and Szegedy 2015, arXiv 1502.03167), with `nn.BatchNorm`'s variables."""

import jax
import jax.numpy as jnp
from flax import linen as nn

MOMENTUM = 0.9  # of the running statistics, a step
EPSILON = 1e-5


class BatchNorm(nn.Module):
    """Each channel over batch and places: [..., C] -> [..., C]. `real [...]` marks what counts; by default all."""

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, real: jax.Array | None = None) -> jax.Array:
        features = x.shape[-1]
        mean = self.variable("batch_stats", "mean", jnp.zeros, features, jnp.float32)
        var = self.variable("batch_stats", "var", jnp.ones, features, jnp.float32)
        scale = self.param("scale", nn.initializers.ones, (features,), jnp.float32)
        bias = self.param("bias", nn.initializers.zeros, (features,), jnp.float32)
        if not train:
            factor = scale / jnp.sqrt(var.value + EPSILON)
            return x * factor + (bias - mean.value * factor)
        where = None if real is None else real[..., None]
        axes = tuple(range(x.ndim - 1))
        now_mean = jnp.mean(x, axes, where=where)
        centred = x - jax.lax.stop_gradient(now_mean)
        now_var = jnp.mean(jnp.square(centred), axes, where=where)  # its derivative by the mean is 0
        if not self.is_initializing():
            mean.value = MOMENTUM * mean.value + (1 - MOMENTUM) * now_mean
            var.value = MOMENTUM * var.value + (1 - MOMENTUM) * now_var
        factor = scale / jnp.sqrt(now_var + EPSILON)
        # The mean's gradient goes through a vector instead of the whole of x: two sums over x instead of four.
        gone = now_mean - jax.lax.stop_gradient(now_mean)  # 0
        return centred * factor + (bias - gone * factor)
