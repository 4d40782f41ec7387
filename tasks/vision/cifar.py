"""CIFAR-10 and CIFAR-100: residual nets and VGGs with batch norm, images padded, cropped and flipped on the device.

ResNet-20 and ResNet-56: He et al. 2016 (arXiv 1512.03385, table 6), 91.25 % and 93.03 %; VGG-16: Li et al. 2017 (arXiv
1608.08710, table 1), 93.25 %, and 93.40 % with 36 % of the weights; ResNet-8: MLPerf Tiny (Banbury et al. 2021, arXiv
2106.07597), whose bar is 85 % after 500 epochs. HUNDRED: the pairs of teacher and student of CRD (Tian et al. 2020,
arXiv 1910.10699, table 1), whose students reach 69.06, 73.26, 72.50 and 70.36 % alone and 70.66, 74.92, 73.33 and
72.98 % by distillation, trained on all 50,000 images. Accuracy.
Deviation: the learning rate falls along a cosine instead of by ten at two or three steps.
Time: ResNet-8 takes an hour for a dense net on one core, two for its methods; the others want a GPU.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from tasks.base import BATCH_NORM, THREE_OF_EACH, DeviceArrays, Metric, Recipe, Task
from tasks.classification import correct, cross_entropy
from tasks.data import cifar
from tasks.nets.resnet import resnet, resnet8, resnet_x4, wide_resnet
from tasks.nets.vgg import vgg8, vgg13, vgg16

# Mean and standard deviation of each channel, over the images of train.
TEN = np.array([[125.3, 123.0, 113.9], [63.0, 62.1, 66.7]], np.float32)
FINE = np.array([[129.3, 124.1, 112.4], [68.2, 65.4, 70.4]], np.float32)
PAD = 4


def normalized(mean: np.ndarray, std: np.ndarray) -> Callable[..., DeviceArrays]:
    """Returns the `batch` of a task: x [B, 32, 32, 3] float32 of mean 0 and variance 1 and y [B] int32.

    Given a key, x is augmented as `pad_crop_flip` does.

    Args:
        mean: [3] float32, of each channel.
        std: [3] float32, the standard deviations.
    """

    def batch(arrays, rows, key):
        x = (arrays["x"][rows].astype(jnp.float32) - mean) / std
        return {"x": x if key is None else pad_crop_flip(x, key), "y": arrays["y"][rows]}

    return batch


def pad_crop_flip(x: jax.Array, key: jax.Array) -> jax.Array:
    """Returns images [B, H, W, C], each moved by up to 4 pixels each way, zeros around, and half of them mirrored."""
    where, which = jax.random.split(key)
    padded = jnp.pad(x, ((0, 0), (PAD, PAD), (PAD, PAD), (0, 0)))
    corners = jax.random.randint(where, (len(x), 2), 0, 2 * PAD + 1)
    cut = jax.vmap(lambda image, corner: jax.lax.dynamic_slice(image, (*corner, 0), x.shape[1:]))
    flipped = jax.random.bernoulli(which, shape=(len(x), 1, 1, 1))
    moved = cut(padded, corners)
    return jnp.where(flipped, moved[:, :, ::-1], moved)


_images = partial(
    Task,
    version=2,
    modality="vision",
    offers=BATCH_NORM,
    loss=cross_entropy,
    outcomes=correct,
    metric=Metric("accuracy", "correct", higher_is_better=True),
    eval_batch=250,
)
_task = partial(
    _images,
    source="CIFAR-10, binary version",
    batch=normalized(*TEN),
    variant=cifar.variant10,
    load=cifar.load10,
    reference=0.1,
)
_sgd = partial(Recipe, batch_size=128, optimizer="sgd", weight_decay=1e-4)

RESNET8 = _task(
    name="cifar10_resnet8",
    net=resnet8(),
    dense=Recipe(steps=7020, batch_size=128, learning_rate=4e-3, weight_decay=5e-2, warmup=350),
    recovery=Recipe(steps=700, batch_size=128, learning_rate=1e-2, weight_decay=5e-2, warmup=70),
    reach=0.78,
    window=(23_000, 52_000),
    sweeps=THREE_OF_EACH,
)
_residual = partial(
    _task,
    dense=_sgd(steps=64000, learning_rate=0.1, warmup=400),
    recovery=_sgd(steps=12800, learning_rate=0.05, warmup=400),
)
RESNET20 = _residual(name="cifar10_resnet20", net=resnet(20, 10), reach=0.9125, window=(75_000, 180_000))
RESNET56 = _residual(name="cifar10_resnet56", net=resnet(56, 10), reach=0.925, window=(230_000, 560_000))
VGG16 = _task(
    name="cifar10_vgg16",
    net=vgg16(10),
    dense=_sgd(steps=56000, learning_rate=0.05, warmup=700),
    recovery=_sgd(steps=11200, learning_rate=0.02, warmup=400),
    reach=0.93,
    window=(3_300_000, 9_400_000),
)

_hundred = partial(
    _images,
    source="CIFAR-100, binary version, fine classes",
    batch=normalized(*FINE),
    variant=cifar.variant100,
    load=cifar.load100,
    reference=0.01,
    dense=Recipe(168000, 64, 0.05, optimizer="sgd", weight_decay=5e-4, warmup=700),
    recovery=Recipe(33600, 64, 0.02, optimizer="sgd", weight_decay=5e-4, warmup=400),
)
HUNDRED = (
    _hundred(
        name="cifar100_resnet20", net=resnet(20, 100), teacher=resnet(56, 100), reach=0.675, window=(76_000, 180_000)
    ),
    _hundred(
        name="cifar100_wrn16_2",
        net=wide_resnet(16, 2, 100),
        teacher=wide_resnet(40, 2, 100),
        reach=0.715,
        window=(170_000, 450_000),
    ),
    _hundred(
        name="cifar100_resnet8x4",
        net=resnet_x4(8, 100),
        teacher=resnet_x4(32, 100),
        reach=0.71,
        window=(290_000, 790_000),
    ),
    _hundred(name="cifar100_vgg8", net=vgg8(100), teacher=vgg13(100), reach=0.69, window=(890_000, 2_500_000)),
)
