"""A perceptron small enough to be worked out in NumPy, shared by the tests of the methods' maths."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

LAYERS = {"first": (3, 4), "middle": (4, 5), "last": (5, 2)}  # features in, out


class MLP(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        x = nn.relu(nn.Dense(4, name="first")(x))
        x = nn.relu(nn.Dense(5, name="middle")(x))
        return nn.Dense(2, name="last")(x)


class Case(NamedTuple):
    net: nn.Module
    variables: dict
    x: np.ndarray  # [10, 3], of either sign

    def inputs(self, variables, x, change=lambda name, x: x):
        """{layer: its input, "out": the logits} in NumPy float32; `change(layer, input)` alters what enters a layer."""
        seen = {}
        for name, layer in variables["params"].items():
            seen[name] = x = np.maximum(x, 0) if seen else x
            x = np.asarray(change(name, x)) @ np.asarray(layer["kernel"]) + np.asarray(layer["bias"])
        return {**seen, "out": x}


@pytest.fixture(scope="session")
def mlp():
    rng = np.random.default_rng(0)
    params = {
        name: {"kernel": jnp.float32(rng.normal(size=shape)), "bias": jnp.float32(rng.normal(size=shape[1]))}
        for name, shape in LAYERS.items()
    }
    return Case(MLP(), {"params": params}, np.float32(rng.normal(size=(10, 3))))
