"""A perceptron small enough to be worked out in NumPy, shared by the tests of the methods' maths."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest

from methods.base import Seen
from tasks.nets.mlp import MLP


def seen_of(mlp, out, weight=None):
    """What a forward pass of the perceptron was: every place counts, unless `weight` says otherwise."""
    weight = jnp.ones(len(mlp.x)) if weight is None else weight
    return Seen({"x": mlp.x}, out, mlp.variables["params"], {}, weight)


class Case(NamedTuple):
    net: MLP
    variables: dict
    x: np.ndarray  # [10, 3], of either sign

    def inputs(self, variables, x, change=lambda name, x: x):
        """{layer: its input, "out": the logits} in NumPy float32; `change(layer, input)` alters what enters a layer."""
        seen = {}
        for name, layer in sorted(variables["params"].items()):
            seen[name] = x = np.maximum(x, 0) if seen else x
            x = np.asarray(change(name, x)) @ np.asarray(layer["kernel"]) + np.asarray(layer["bias"])
        return {**seen, "out": x}


@pytest.fixture(scope="session")
def mlp():
    rng = np.random.default_rng(0)
    params = {
        name: {"kernel": jnp.float32(rng.normal(size=shape)), "bias": jnp.float32(rng.normal(size=shape[1]))}
        for name, shape in (("dense1", (3, 4)), ("dense2", (4, 5)), ("head", (5, 2)))
    }
    return Case(MLP(3, (4, 5), 2), {"params": params}, np.float32(rng.normal(size=(10, 3))))
