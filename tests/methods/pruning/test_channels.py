"""Pruning of channels as a method; the shrinking itself is tested in test_structure.py."""

import jax
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from methods.base import Problem
from methods.pruning.channels import channels, random_channels
from tasks.nets.convnet import ConvNet

NET = ConvNet(side=8, channels=(20, 3), hidden=4, classes=2)


@pytest.mark.parametrize("method", [channels, random_channels])
def test_a_fraction_of_one_changes_nothing(method):
    given = {"params": {}}
    problem = Problem(NET, None, (), None, 6)
    same, variables, state = method().init(None, problem, given, (np.float32(1),))
    assert same is NET
    assert variables is given
    assert state == ((), ())


@pytest.fixture(scope="module")
def variables():
    """Channel j of the first convolution has weights j + 1 and bias j: of rising norm, and known by its bias."""
    made = NET.init(jax.random.key(0), np.ones((1, 8, 8, 1)))
    layer = made["params"]["conv1"]
    layer["kernel"], layer["bias"] = np.ones_like(layer["kernel"]) * np.arange(1.0, 21), np.arange(20, dtype=np.float32)
    return made


def kept(method, variables, seed):
    problem = Problem(NET, np.ones((1, 8, 8, 1), np.float32), (), None, 6)
    net, smaller, _ = method.init(jax.random.key(seed), problem, variables, (np.float32(0.5),))
    assert (net.channels, net.hidden) == ((10, 2), 2)
    assert_array_equal(smaller["params"]["conv1"]["kernel"][0, 0, 0], smaller["params"]["conv1"]["bias"] + 1)
    return set(np.asarray(smaller["params"]["conv1"]["bias"]).astype(int))


def test_channels_of_large_norm_are_kept_and_random_ones_go_by_the_seed(variables):
    assert kept(channels(), variables, 0) == set(range(10, 20))
    drawn = [kept(random_channels(), variables, seed) for seed in range(3)]
    assert drawn[0] == kept(random_channels(), variables, 0)
    assert len(set(map(frozenset, drawn))) == 3
