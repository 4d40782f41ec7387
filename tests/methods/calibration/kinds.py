"""Nets that call a layer in every way there is, and what enters that layer, worked out in NumPy.

What enters is that of two batches, X[:2] and X[2:]."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from flax import linen as nn

X = np.linspace(-1, 3, 24, dtype=np.float32).reshape(4, 2, 3)
VECTORIZED = {"variable_axes": {"params": 0}, "split_rngs": {"params": True}}


class Shared(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        shared = nn.Dense(3, name="d")
        return shared(jnp.tanh(shared(100 * x)))


class Recurrent(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.RNN(nn.GRUCell(5, name="cell"), name="rnn")(x)


class Remat(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.remat(nn.Dense)(3, name="d")(x)


Jitted = nn.jit(nn.Dense)  # made once, so that its cache outlives a forward


class Jit(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        return Jitted(3, name="d")(x)


class Branch(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        layer = nn.Dense(3, name="d")
        if self.is_initializing():
            return layer(x)
        return nn.cond(x.sum() > 0, lambda m, x: m(-x), lambda m, x: m(3 * x), layer, x)


class Experts(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.vmap(nn.Dense, **VECTORIZED)(3, name="d")(jnp.stack([x, -2 * x]))


class Layer(nn.Module):
    @nn.compact
    def __call__(self, x, _):
        return nn.Dense(3, name="d")(x), None


class Scanned(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.scan(Layer, length=2, **VECTORIZED)(name="layers")(x, None)[0]


class Keyword(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.Dense(3, name="d")(inputs=x)


class Scaled(nn.Module):
    """Multiplies by its weights what it has scaled in a method of its own."""

    def setup(self):
        self.kernel = self.param("kernel", nn.initializers.lecun_normal(), (3, 3))

    def scaled(self, x):
        return 1000 * x

    def __call__(self, scale, x):
        return scale * self.scaled(x) @ self.kernel


class Swapped(nn.Module):
    """Gives the second argument first, by name."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        return Scaled(name="d")(x=jnp.ones(3), scale=x)


class Tied(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        table = nn.Embed(7, 3, name="d")
        return table.attend(table(jnp.arange(4)) + 10)


def _kernel(params, *path):
    for name in (*path, "kernel"):
        params = params[name]
    return np.asarray(params)


def _shared(params):
    return 100 * X, np.tanh(100 * X @ _kernel(params, "d") + np.asarray(params["d"]["bias"]))


def _scanned(params):
    inner = params["layers"]["d"]
    return X, X @ np.asarray(inner["kernel"])[0] + np.asarray(inner["bias"])[0]


class Kind(NamedTuple):
    net: nn.Module
    path: str
    inputs: Callable[[dict], tuple[np.ndarray, ...]]  # of the net's params: what enters the layer


KINDS = {
    "shared": Kind(Shared(), "d", _shared),
    "recurrent": Kind(Recurrent(), "cell/ir", lambda params: (X,)),
    "remat": Kind(Remat(), "d", lambda params: (X,)),
    "jit": Kind(Jit(), "d", lambda params: (X,)),
    "branch": Kind(Branch(), "d", lambda params: (3 * X[:2], -X[2:])),
    "experts": Kind(Experts(), "d", lambda params: (X, -2 * X)),
    "scanned": Kind(Scanned(), "layers/d", _scanned),
    "keyword": Kind(Keyword(), "d", lambda params: (X,)),
    "swapped": Kind(Swapped(), "d", lambda params: (X,)),
    "tied": Kind(Tied(), "d", lambda params: (np.asarray(params["d"]["embedding"])[:4] + 10,) * 2),
}
