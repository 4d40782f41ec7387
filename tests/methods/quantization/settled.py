"""A method on a net, without training: what ships, what it decodes to, and what was said."""

import warnings

import jax
import jax.numpy as jnp

from methods.base import Fallback, Problem, Shipped
from methods.paths import flatten
from methods.transforms.transform import decoded


def settled(method, net, variables, batches, bits):
    """(what ships, decoded weights by path, fallbacks)."""
    problem = Problem(net, batches[0]["x"][:1], batches, lambda out, batch: jnp.mean(out), 0)
    key = jax.random.key(0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _, variables, state = method.init(key, problem, variables, (jnp.float32(bits),))
        _, variables, state = method.settle(key, problem, variables, state, 1)
    shipped = method.export(state, Shipped(net, variables))
    told = [str(warning.message) for warning in caught if issubclass(warning.category, Fallback)]
    return shipped, flatten(decoded(shipped.variables)["params"]), told
