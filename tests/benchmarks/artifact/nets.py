"""Small nets and hand-made weights, of which the tests of artifacts make files."""

import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from methods.base import Shipped
from methods.transforms.grids import Quantizer
from methods.transforms.transform import decoded
from tests.benchmarks.artifact.leaves import quantized

EXAMPLE = np.zeros((2, 6), np.float32)


class Tiny(nn.Module):
    width: int = 4
    sizes: tuple[int, ...] = (3,)

    @nn.compact
    def __call__(self, x, train: bool):
        x = nn.relu(nn.Dense(self.width, name="up")(x))
        x = nn.BatchNorm(use_running_average=not train, name="norm")(x)
        return nn.Dense(self.sizes[0], name="down")(x)


class Holder(nn.Module):
    """Returns its input; holds weights of the given shape and dtype, one under each of the names."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    names: tuple[str, ...] = ("w",)

    @nn.compact
    def __call__(self, x, train: bool):
        for name in self.names:
            self.param(name, nn.initializers.zeros, self.shape, self.dtype)
        return x


def held(*weights, names=("w",)):
    """What ships of a Holder with those weights."""
    first = decoded(weights[0])
    net = Holder(tuple(first.shape), str(first.dtype), names)
    return Shipped(net, {"params": dict(zip(names, weights, strict=True))})


def tiny_variables():
    """Hand-made weights: a quantized kernel, float biases, running statistics."""
    rng = np.random.default_rng(0)
    floats = {n: jnp.asarray(rng.normal(size=s), jnp.float32) for n, s in (("b", 4), ("k", (4, 3)), ("m", 4))}
    codes = rng.integers(-3, 4, (6, 4))
    up = {"kernel": quantized(codes, 3, -3, np.full((1, 4), 0.1)), "bias": floats["b"]}
    down = {"kernel": floats["k"], "bias": jnp.zeros(3)}
    norm = {"scale": jnp.ones(4), "bias": jnp.zeros(4)}
    return {
        "params": {"up": up, "down": down, "norm": norm},
        "batch_stats": {"norm": {"mean": floats["m"], "var": jnp.ones(4)}},
    }


def tiny(**more):
    """Tiny with those weights and one quantized input."""
    grid = Quantizer(*(jnp.float32(v) for v in (0.1, 7.0, 0.0, 15.0)))
    return Shipped(**{"net": Tiny(), "variables": tiny_variables(), "inputs": {"up": (grid,)}} | more)
