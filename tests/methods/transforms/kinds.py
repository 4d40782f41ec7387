"""One or more of every transform, for the tests that go over all of them."""

import jax
import jax.numpy as jnp
import numpy as np

from methods.arrays.blocks import Blocks, peaks
from methods.transforms.divisions import Divide
from methods.transforms.double_scales import DoubleScaled
from methods.transforms.floats import Floats
from methods.transforms.grids import Quantizer, affine, code_range, symmetric
from methods.transforms.microscaling import Microscaled
from methods.transforms.rotations import Rotation, signs
from methods.transforms.tables import Table

X = jnp.asarray(np.random.default_rng(1).normal(size=(5, 6)), jnp.float32)
"""An input of six channels."""

LEVELS = jnp.float32([-1, -0.5, -0.2, 0, 0.3, 0.7, 1])
ONE = jnp.float32(1)

INPUTS = {
    "grid": affine(X.min(), X.max(), 4),
    "table": Table(LEVELS, ONE),
    "floats": Floats(ONE / 100, "e4m3fn"),
    "microscaled": Microscaled("e2m1", Blocks((-1,), 4)),
    "double scaled": DoubleScaled(jnp.max(jnp.abs(X)) / (6 * 448), "e2m1", "e4m3fn", Blocks((-1,), 4)),
    "divide": Divide(jnp.float32([1, 2, 0.3, 4, 5, 6])),
    "rotation": Rotation(signs(jax.random.key(0), 6)),
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
    rows = Blocks((0,), 32)
    return {
        "grid": symmetric(w, 3, (-1,)),
        "groups of 32": groups(w, 32, 3),
        "table": Table(LEVELS, jnp.max(jnp.abs(w), 0, keepdims=True)),
        "table in blocks": Table(LEVELS, peaks(w, rows) + 1, rows),
        "floats": Floats(jnp.max(jnp.abs(w), 0, keepdims=True) / 448, "e4m3fn"),
        "floats in blocks": Floats(peaks(w, rows) / 6 + 1, "e2m1", rows),
        "microscaled": Microscaled("e2m1", rows),
        "microscaled along both axes": Microscaled("e2m3", Blocks((0, 1), 16)),
        "double scaled": DoubleScaled(jnp.max(jnp.abs(w)) / (6 * 448), "e2m1", "e4m3fn", Blocks((0,), 16)),
        "divide": Divide(jnp.ones((len(w), 1)) * 3),
        "rotation": Rotation(signs(jax.random.key(0), len(w)), axis=0),
    }
