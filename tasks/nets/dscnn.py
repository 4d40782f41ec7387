"""DS-CNN, the depthwise-separable convolutional net for keyword spotting (Zhang et al. 2017, arXiv 1711.07128)."""

import jax.numpy as jnp
from flax import linen as nn

from tasks.nets.groups import Axis, Group, sizes_after


class Depthwise(nn.Module):
    """3×3 convolution of each channel by itself, stride 1, zeros around: [B, H, W, C] -> [B, H, W, C], no bias.

    The same as `nn.Conv(C, (3, 3), feature_group_count=C)`, as one dot product per channel: on CPUs, grouped
    convolutions and their gradients are some five times slower.
    """

    @nn.compact
    def __call__(self, x):
        height, width, channels = x.shape[1:]
        kernel = self.param("kernel", nn.initializers.lecun_normal(), (3, 3, 1, channels))
        x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        patches = jnp.stack([x[:, i : i + height, j : j + width] for i in range(3) for j in range(3)])
        return jnp.einsum("kbhwc,kc->bhwc", patches, kernel.reshape(9, channels))


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
    def __call__(self, x, train: bool = False):
        def normed(x, name):
            return nn.relu(nn.BatchNorm(use_running_average=not train, momentum=0.9, name=name)(x))

        x = nn.Conv(self.channels[0], self.kernel, self.strides, use_bias=False, name="conv")(x)
        x = normed(x, "conv_norm")
        for i, channels in enumerate(self.channels[1:]):
            x = normed(Depthwise(name=f"depthwise{i}")(x), f"depthwise{i}_norm")
            x = nn.Conv(channels, (1, 1), use_bias=False, name=f"pointwise{i}")(x)
            x = normed(x, f"pointwise{i}_norm")
        return nn.Dense(self.classes, name="head")(x.mean((1, 2)))

    def groups(self) -> dict[str, Group]:
        """A depthwise convolution has the channels of what precedes it: they are one group."""
        producers = ["conv", *(f"pointwise{i}" for i in range(len(self.channels) - 1))]
        groups = {}
        for i, (producer, size) in enumerate(zip(producers, self.channels, strict=True)):
            axes = (Axis(f"{producer}/kernel", 3, produces=True), *_norm(f"{producer}_norm"))
            if i + 1 < len(producers):
                axes += (Axis(f"depthwise{i}/kernel", 3), *_norm(f"depthwise{i}_norm"), Axis(f"pointwise{i}/kernel", 2))
            else:
                axes += (Axis("head/kernel", 0),)
            groups[producer] = Group(size, axes)
        return groups

    def resize(self, sizes: dict[str, int]) -> "DSCNN":
        return self.clone(channels=tuple(sizes_after(self.groups(), sizes).values()))


def _norm(layer):
    learned = (Axis(f"{layer}/{leaf}", 0) for leaf in ("scale", "bias"))
    running = (Axis(f"{layer}/{leaf}", 0, collection="batch_stats") for leaf in ("mean", "var"))
    return *learned, *running
