"""DS-CNN, the depthwise-separable convolutional net for keyword spotting (Zhang et al. 2017, arXiv 1711.07128)."""

import jax
from flax import linen as nn

from tasks.nets.groups import Axis, Group, batch_norm, read, sizes_after, written
from tasks.nets.layers.conv import Conv, Depthwise
from tasks.nets.layers.norm import BatchNorm


class DSCNN(nn.Module):
    """Features [B, T, M, 1] (frames × mel bands) to logits [B, classes].

    One strided convolution, then blocks of a 3×3 depthwise and a pointwise convolution, each followed by batch
    normalization and ReLU; then the mean over the map and one dense layer.
    """

    channels: tuple[int, ...]  # of the first convolution, then of each block
    kernel: tuple[int, int]  # of the first convolution
    strides: tuple[int, int]  # of the first convolution
    classes: int

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        def normed(x, name):
            return nn.relu(BatchNorm(name=name)(x, train))

        x = Conv(self.channels[0], self.kernel, self.strides, use_bias=False, name="conv")(x)
        x = normed(x, "conv_norm")
        for i, channels in enumerate(self.channels[1:]):
            x = normed(Depthwise(name=f"depthwise{i}")(x), f"depthwise{i}_norm")
            x = Conv(channels, (1, 1), use_bias=False, name=f"pointwise{i}")(x)
            x = normed(x, f"pointwise{i}_norm")
        return nn.Dense(self.classes, name="head")(x.mean((1, 2)))

    def groups(self) -> dict[str, Group]:
        """Returns the groups "conv", "pointwise0", "pointwise1", ..., each with the depthwise convolution behind it."""
        producers = ["conv", *(f"pointwise{i}" for i in range(len(self.channels) - 1))]
        groups = {}
        for i, (producer, size) in enumerate(zip(producers, self.channels, strict=True)):
            axes = (*written(producer, bias=False), *batch_norm(f"{producer}_norm"))
            if i + 1 < len(producers):
                depthwise = Axis(f"depthwise{i}/kernel", -1), *batch_norm(f"depthwise{i}_norm")
                axes += (*depthwise, read(f"pointwise{i}"))
            else:
                axes += (read("head"),)
            groups[producer] = Group(size, axes)
        return groups

    def resize(self, sizes: dict[str, int]) -> "DSCNN":
        """Returns the same net with the named groups at other sizes. Raises ValueError for an unknown name."""
        return self.clone(channels=tuple(sizes_after(self.groups(), sizes).values()))


def dscnn_s(classes: int = 12) -> DSCNN:
    """Returns DS-CNN-S as in MLPerf Tiny, for MFCCs [B, 49, 10, 1] (Banbury et al. 2021, arXiv 2106.07597)."""
    return DSCNN(channels=(64,) * 5, kernel=(10, 4), strides=(2, 2), classes=classes)
