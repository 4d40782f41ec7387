"""Magnitude pruning: the weights of smallest |w| are masked. Zhu & Gupta 2017 (arXiv 1710.01878), see `masked.py`."""

import jax.numpy as jnp

from methods.base import Entry, Method
from methods.paths import KERNELS
from methods.pruning.masked import UNSTRUCTURED, gradual


def magnitude(selector: str = KERNELS) -> Method:
    """Returns gradual pruning of the weights of smallest |w|."""
    return gradual(
        lambda key, weights: (),
        lambda _, weights: {path: jnp.abs(w) for path, w in weights.items()},
        selector,
    )


MAGNITUDE = Entry(magnitude, UNSTRUCTURED._replace(control="random", paper="zhu2017prune"))
