"""Products of two activations: the bits of both factors count, where these are inputs of the module."""

import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from benchmarks.measure.counts import count
from methods.base import Shipped
from methods.transforms.divisions import Divide
from methods.transforms.grids import Quantizer
from tasks.nets.layers.attention import MatMul


class Product(nn.Module):
    """Attention's products by a module, by an operator, and by a module whose input was multiplied before."""

    @nn.compact
    def __call__(self, x, train: bool):
        x = x * 2
        y = MatMul(name="scores")(x, x.swapaxes(1, 2)) + x @ x.swapaxes(1, 2)
        return MatMul(name="mix")(b=x, a=y.transpose(0, 2, 1))


def grid_of(bits):
    return Quantizer(jnp.float32(0.1), jnp.float32(0), jnp.float32(0), jnp.float32(2.0**bits - 1))


@pytest.mark.parametrize(
    ("inputs", "bops"),
    [
        ({}, 3 * 32 * 32),
        ({"scores": (grid_of(8),)}, 2 * 32 * 32 + 8 * 32),
        ({"scores": (grid_of(8),), "scores:1": (grid_of(4),)}, 2 * 32 * 32 + 8 * 4),
        ({"mix": (grid_of(4), Divide(jnp.float32(2)))}, 2 * 32 * 32 + 4 * 32),
        ({"mix:1": (grid_of(8), grid_of(2)), "other": (grid_of(2),)}, 2 * 32 * 32 + 32 * 2),
        ({"mix:1": (Divide(jnp.float32(2)),)}, 3 * 32 * 32),
    ],
)
def test_products_of_two_inputs_have_the_bits_of_both(inputs, bops):
    """Each product has 6 x 6 x 5 multiplies."""
    found = count(Shipped(Product(), {"params": {}}, inputs), np.zeros((3, 6, 5), np.float32))
    assert (found.macs, found.bops) == (3 * 180, 180 * bops)


@pytest.mark.parametrize("stack", [nn.scan, nn.vmap])
def test_products_in_loops_have_the_bits_of_both(stack):
    class Layer(nn.Module):
        @nn.compact
        def __call__(self, x, _):
            return MatMul(name="product")(x, x.swapaxes(-1, -2)), None

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x, train: bool):
            if stack is nn.vmap:
                return nn.vmap(Layer, in_axes=(0, None))(name="layers")(jnp.stack([x, x]), None)[0]
            return nn.scan(Layer, length=2)(name="layers")(x, None)[0]

    inputs = {"layers/product": (grid_of(8),), "layers/product:1": (grid_of(2),)}
    found = count(Shipped(Net(), {"params": {}}, inputs), np.zeros((3, 5, 5), np.float32))
    assert (found.macs, found.bops) == (2 * 125, 2 * 125 * 16)
