"""One or more of every transform, for the tests that go over all of them."""

import jax.numpy as jnp
import numpy as np

from methods.arrays.blocks import Blocks, peaks
from methods.transforms.divisions import Divide
from methods.transforms.grids import Quantizer, affine, code_range, symmetric

X = jnp.asarray(np.random.default_rng(1).normal(size=(5, 6)), jnp.float32)
"""An input of six channels."""

INPUTS = {
    "grid": affine(X.min(), X.max(), 4),
    "divide": Divide(jnp.float32([1, 2, 0.3, 4, 5, 6])),
}
"""What an input like X may go through."""


def groups(w, size, bits):
    """Symmetric grids of blocks along the first axis."""
    low, high = code_range(bits, narrow=True)
    scale = peaks(w, blocks := Blocks((0,), size)) / high
    scale = jnp.where(scale > 0, scale, 1)
    return Quantizer(scale, jnp.zeros_like(scale), low, high, blocks)


def WEIGHTS(w):
    """What a weight [n, m] may go through."""
    return {
        "grid": symmetric(w, 3, (-1,)),
        "groups of 32": groups(w, 32, 3),
        "divide": Divide(jnp.ones((len(w), 1)) * 3),
    }
