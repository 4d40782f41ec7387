"""Magnitude pruning: the weights of smallest |w| are masked. Zhu & Gupta 2017 (arXiv 1710.01878), see `masked.py`."""

import jax.numpy as jnp

from methods.base import Entry, Method
from methods.paths import KERNELS
from methods.pruning.masked import UNSTRUCTURED, by_rule, gradual


def magnitude(selector: str = KERNELS, allocation: str = "global") -> Method:
    """Returns gradual pruning of the weights of smallest |w|.

    Args:
      selector: pattern of the paths of the weights to prune.
      allocation: how many each layer keeps: "global", "uniform" (the paper's) or "erk", see `arrays/allocation.py`.
    """
    return gradual(
        lambda key, weights: (),
        lambda _, weights: {path: jnp.abs(w) for path, w in weights.items()},
        by_rule(allocation),
        selector,
    )


MAGNITUDE = Entry(magnitude, UNSTRUCTURED._replace(control="random@magnitude", paper="zhu2017prune"))
