"""What a weight weighs: the bits at which it is stored, and whether it was pruned."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from benchmarks.measure.counts import count
from methods.base import Shipped
from methods.transforms.grids import Quantized, symmetric


class Lookup(nn.Module):
    """A table of 11·8 that is looked up, matrices of 8·6 and 6·2 that multiply, one of 8·8 that does nothing."""

    @nn.compact
    def __call__(self, tokens, train: bool):
        idle = self.param("idle", nn.initializers.ones, (8, 8))
        x = nn.Embed(11, 8, name="table")(tokens) + idle.sum()
        return nn.Dense(2, name="down")(nn.Dense(6, name="up")(x))


def test_weight_bits_by_hand():
    """Σ size · bits / Σ size over the matrices that multiply or are looked up; biases and the idle one are none."""
    tokens = np.zeros((2, 5), np.int32)
    variables = Lookup().init(jax.random.key(0), tokens, train=False)
    assert count(Shipped(Lookup(), variables), tokens).weight_bits == 32
    params = variables["params"]
    for name, bits, shape in (("table", 8, (11, 8)), ("up", 2, (8, 6))):
        (leaf,) = (leaf for leaf in params[name] if leaf != "bias")
        codes, one = jnp.zeros(shape, jnp.int32), jnp.ones((1, 1))
        params[name][leaf] = Quantized(codes, one, one, bits=bits, low=0)
    expected = (88 * 8 + 48 * 2 + 12 * 32) / (88 + 48 + 12)
    assert count(Shipped(Lookup(), variables), tokens).weight_bits == pytest.approx(expected)


class Product(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool):
        w = self.param("w", nn.initializers.ones, (8, 3))
        return x @ w.astype(x.dtype)


def test_what_rounding_makes_zero_is_not_pruned():
    """Of 24 weights 3 were pruned; at 2 bits 18 more become 0."""
    weight = jnp.full((8, 3), 0.1).at[0].set(1.0).at[1].set(0.0)
    packed = symmetric(weight, 2).pack(weight)
    assert np.count_nonzero(packed.codes) == 3
    assert int(packed.pruned) == 3
    x = np.zeros((5, 8), np.float32)
    counts = count(Shipped(Product(), {"params": {"w": packed}}), x)
    assert counts.macs == 24
    assert (counts.effective_macs, counts.density, counts.bops) == (21, 21 / 24, 21 * 2 * 32)
    floats = count(Shipped(Product(), {"params": {"w": weight}}), x)
    assert (floats.effective_macs, floats.density) == (21, 21 / 24)


@pytest.mark.parametrize(("dtype", "bits"), [("float32", 32), ("bfloat16", 16), ("float16", 16)])
def test_a_weight_has_the_bits_of_its_dtype(dtype, bits):
    counts = count(Shipped(Product(), {"params": {"w": jnp.ones((8, 3), dtype)}}), np.zeros((5, 8), np.float32))
    assert (counts.macs, counts.bops) == (24, 24 * bits * 32)
