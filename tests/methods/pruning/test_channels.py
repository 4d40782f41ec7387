"""Pruning of channels as a method; the shrinking itself is tested in test_structure.py."""

import numpy as np

from methods.base import Problem
from methods.pruning.channels import channels
from tasks.nets.convnet import ConvNet


def test_a_fraction_of_one_changes_nothing():
    net, given = ConvNet(side=8, channels=(3, 3), hidden=4, classes=2), {"params": {}}
    problem = Problem(net, None, (), None, 6)
    same, variables, state = channels().init(None, problem, given, (np.float32(1),))
    assert same is net
    assert variables is given
    assert state == ((), ())
