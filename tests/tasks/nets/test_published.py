"""The named nets have the sizes that are published: parameters, and MACs of one example."""

import jax
import numpy as np
import pytest

from benchmarks.measure.counts import count
from methods.base import Shipped
from tasks.nets.bcresnet import bcresnet1
from tasks.nets.conformer import conformer
from tasks.nets.convnet import lenet5
from tasks.nets.dscnn import dscnn_s
from tasks.nets.encoder import encoder
from tasks.nets.gpt import gpt
from tasks.nets.mlp import MLP
from tasks.nets.resnet import resnet, resnet8, resnet_x4, wide_resnet
from tasks.nets.vgg import vgg8, vgg13, vgg16

CIFAR = (1, 32, 32, 3)
PARAMETERS = {  # net, input, parameters; CRD's README rounds its own to 0.01 M
    "LeNet-300-100": (MLP(784, (300, 100), 10), (1, 784), 266_610),
    "LeNet-5-Caffe": (lenet5(), (1, 28, 28, 1), 431_080),
    "784-800-800-10": (MLP(784, (800, 800), 10), (1, 784), 784 * 800 + 800 * 800 + 800 * 10 + 1610),
    "ResNet-20": (resnet(20, 10), CIFAR, 272_474),  # He et al.: 0.27 M
    "ResNet-56": (resnet(56, 10), CIFAR, 855_770),  # He et al.: 0.85 M
    "resnet8 of MLPerf Tiny": (resnet8(), CIFAR, 78_666 - 480),  # Keras counts running statistics
    "DS-CNN-S of MLPerf Tiny": (dscnn_s(), (1, 49, 10, 1), 24_908 - 1152 - 9 * 64),  # and biases before norms
    "BC-ResNet-1": (bcresnet1(), (1, 100, 40, 1), 9_232),  # Kim et al.: 9.2 k
    "resnet20 of CRD": (resnet(20, 100), CIFAR, 278_324),
    "resnet56 of CRD": (resnet(56, 100), CIFAR, 861_620),
    "resnet8x4 of CRD": (resnet_x4(8, 100), CIFAR, 1_233_540),
    "resnet32x4 of CRD": (resnet_x4(32, 100), CIFAR, 7_433_860),
    "wrn40-2 of CRD": (wide_resnet(40, 2, 100), CIFAR, 2_255_156),
    "wrn16-2 of CRD": (wide_resnet(16, 2, 100), CIFAR, 703_284),
    "vgg8 of CRD": (vgg8(100), CIFAR, 3_965_028),
    "vgg13 of CRD": (vgg13(100), CIFAR, 9_462_180),
    "VGG-16": (vgg16(10), CIFAR, 14_728_266),
    # embeddings 65·128 and 64·128; a block 12·128² + 13·128; the norm 2·128; the head 128·65 + 65
    "nanoGPT on a CPU": (gpt(65, 64, 4, 128, 4), (1, 64), 129 * 128 + 4 * (12 * 128**2 + 13 * 128) + 256 + 129 * 65),
    "nanoGPT": (gpt(65, 256, 6, 384, 6, 0.2), (1, 256), 321 * 384 + 6 * (12 * 384**2 + 13 * 384) + 768 + 385 * 65),
    "Encoder": (encoder(4000, 64, 2, 64, 4, 2), (1, 64), 4064 * 64 + 2 * (12 * 64**2 + 13 * 64) + 128 + 65 * 2),
    "Conformer": (conformer(40, 11), (1, 100, 40), 206_779),
}
MACS = {"LeNet-5-Caffe": 2_293_000, "ResNet-20": 40_813_184, "resnet8 of MLPerf Tiny": 12_501_632}


def variables_of(net, shape):
    x = np.zeros(shape, np.float32 if len(shape) > 2 or shape[1] == 784 else np.int32)
    shapes = jax.eval_shape(lambda: net.init(jax.random.key(0), x))
    return jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes), x


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name):
    net, shape, parameters = PARAMETERS[name]
    variables, _ = variables_of(net, shape)
    assert sum(leaf.size for leaf in jax.tree.leaves(variables["params"])) == parameters


@pytest.mark.parametrize("name", MACS)
def test_macs(name):
    net, shape, _ = PARAMETERS[name]
    variables, example = variables_of(net, shape)
    assert count(Shipped(net, variables), example).macs == MACS[name]
