"""VGG with batch normalization for small images (Simonyan and Zisserman 2015, arXiv 1409.1556, table 1).

The three dense layers of the original are one here, as is usual on CIFAR (CRD, Tian et al. 2020, arXiv 1910.10699).
"""

import jax
from flax import linen as nn

from tasks.nets.groups import Group, batch_norm, read, sizes_after, written
from tasks.nets.layers.conv import HE, Conv, max_pool
from tasks.nets.layers.norm import BatchNorm


class VGG(nn.Module):
    """Images [B, H, W, C] to logits [B, classes]; H and W are multiples of 2^stages."""

    channels: tuple[int, ...]  # of each 3×3 convolution
    stages: tuple[int, ...]  # convolutions in each; a 2×2 max pool follows
    classes: int

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        layers = enumerate(self.channels)
        for depth in self.stages:
            for i, channels in (next(layers) for _ in range(depth)):
                x = Conv(channels, (3, 3), kernel_init=HE, name=f"conv{i}")(x)
                x = nn.relu(BatchNorm(name=f"norm{i}")(x, train))
            x = max_pool(x)
        return nn.Dense(self.classes, name="head")(x.mean((1, 2)))

    def groups(self) -> dict[str, Group]:
        """Returns the groups "conv0", "conv1", ..., one per convolution."""
        readers = [*(f"conv{i}" for i in range(1, len(self.channels))), "head"]
        return {
            f"conv{i}": Group(size, (*written(f"conv{i}"), *batch_norm(f"norm{i}"), read(reader)))
            for i, (size, reader) in enumerate(zip(self.channels, readers, strict=True))
        }

    def resize(self, sizes: dict[str, int]) -> "VGG":
        """Returns the same net with the named groups at other sizes. Raises ValueError for an unknown name."""
        return self.clone(channels=tuple(sizes_after(self.groups(), sizes).values()))


def vgg16(classes: int) -> VGG:
    """Returns VGG-16: 13 convolutions, and one dense layer in place of three."""
    return _of_widths((2, 2, 3, 3, 3), (64, 128, 256, 512, 512), classes)


def vgg13(classes: int) -> VGG:
    """Returns VGG-13 as in CRD: no pool between the last two widths of the original, which are both 512."""
    return _of_widths((2, 2, 2, 4), (64, 128, 256, 512), classes)


def vgg8(classes: int) -> VGG:
    """Returns VGG-8 as in CRD: one convolution per width."""
    return _of_widths((1, 1, 1, 2), (64, 128, 256, 512), classes)


def _of_widths(stages, widths, classes):
    return VGG(tuple(w for w, n in zip(widths, stages, strict=True) for _ in range(n)), stages, classes)
