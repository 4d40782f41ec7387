"""Paths of weights and modules, whatever their names."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from benchmarks.measure.counts import count
from methods.base import Shipped
from methods.calibration.ranges import calibrate
from methods.paths import flatten, join, replace, select, unflatten
from methods.quantization.grids import module_of

NAMES = ("dot.name", "été", "a b", "stage/1", "head:aux", "100%", "%2F", "a/b:c%3A")


def test_paths_by_hand():
    assert join(("conv1", "kernel")) == "conv1/kernel"
    assert join(("stage/1", "head:aux", "100%", "%2F")) == "stage%2F1/head%3Aaux/100%25/%252F"
    tree = {"stage/1": {"kernel": 1}, "stage": {"1": {"kernel": 2}}}
    assert flatten(tree) == {"stage%2F1/kernel": 1, "stage/1/kernel": 2}
    assert unflatten(flatten(tree)) == tree
    assert replace(tree, {"stage%2F1/kernel": 3}) == {"stage/1": {"kernel": 3}, "stage": {"1": {"kernel": 2}}}


class Named(nn.Module):
    name_of: str

    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.Dense(2, name=self.name_of)(x)


@pytest.mark.parametrize("name", NAMES)
def test_modules_and_their_weights_share_a_path(name):
    net, x = Named(name), jnp.ones((1, 3))
    variables = net.init(jax.random.key(0), x)
    (path,) = select(variables["params"])
    assert unflatten(flatten(variables)) == variables
    assert list(calibrate(net, variables, [{"x": x}], [module_of(path)])) == [module_of(path)]
    zeroed = replace(variables["params"], {path: jnp.zeros((3, 2))})
    np.testing.assert_array_equal(net.apply({"params": zeroed}, x), jnp.zeros((1, 2)))
    assert count(Shipped(net, {"params": zeroed}), x).effective_macs == 0 < count(Shipped(net, variables), x).macs
