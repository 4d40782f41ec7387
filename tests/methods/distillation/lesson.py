"""A hint from the perceptron to itself, prepared."""

import jax
import jax.numpy as jnp
import numpy as np

from methods.base import Problem, Teacher
from tests.methods.conftest import seen_of


def hinted(mlp, method, made, weight=None):
    """Returns (method, its state, features -> what a forward pass with these was, what the hint layer makes).

    Args:
      mlp: teaches and learns.
      method: whose hint is "dense1".
      made: features of that layer, [10, 4].
      weight: of places, [10, ...].
    """
    problem = Problem(mlp.net, mlp.x[:1], (), None, 6, Teacher(mlp.net, mlp.variables))
    state = method.init(jax.random.key(0), problem, mlp.variables, (jnp.float32(1),))[2]
    out = np.float32(np.random.default_rng(2).normal(size=(10, 2)))
    layer = mlp.variables["params"]["dense1"]
    wanted = mlp.x @ np.asarray(layer["kernel"]) + np.asarray(layer["bias"])
    return method, state, lambda v: seen_of(mlp, out, weight)._replace(watched={"dense1": v}), wanted
