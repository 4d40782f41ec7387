"""A layer of eights for tests of what is compiled, and its input."""

import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from methods.base import Shipped
from methods.transforms.grids import Quantizer


class Net(nn.Module):
    width: int = 4

    @nn.compact
    def __call__(self, x, train: bool):
        return nn.Dense(self.width, name="out")(x)


def net(value=1.0, width=4, scale=None, module="out"):
    tree = {"params": {"out": {"kernel": jnp.full((8, width), value), "bias": jnp.zeros(width)}}}
    if scale is None:
        return Shipped(Net(width), tree)
    return Shipped(Net(width), tree, {module: (Quantizer(*(jnp.float32(v) for v in (scale, 0, -128, 127))),)})


X = np.full((3, 8), 0.3, np.float32)
