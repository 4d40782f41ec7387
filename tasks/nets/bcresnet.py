"""BC-ResNet for keyword spotting: broadcasted residual learning (Kim et al. 2021, arXiv 2106.04140, §2-3, table 1).

    y = relu(x + f2(x) + broadcast(f1(mean over bands of f2(x))))

f2: a convolution along the bands of each channel, and a norm per sub-band. f1: a dilated convolution along time of
each channel, norm, swish, and a pointwise convolution. The first block of a stage has a pointwise convolution in front
of f2, and not the term x.
"""

import jax
import jax.numpy as jnp
from flax import linen as nn

from tasks.nets.groups import Axis, Group, batch_norm, read, sizes_after, written
from tasks.nets.layers.conv import HE, Conv, Depthwise
from tasks.nets.layers.norm import BatchNorm

BANDS = 40
SUB_BANDS = 5
STRIDES = (1, 2, 2, 1)  # over the bands, on entering each stage
DILATIONS = (1, 2, 4, 8)  # in time, of each stage


class SubBandNorm(nn.Module):
    """Batch norm of each channel in each of SUB_BANDS ranges of bands (Chang et al. 2021): [B, T, F, C], same out."""

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        batch, frames, bands, channels = x.shape
        x = x.reshape(batch, frames, SUB_BANDS, bands // SUB_BANDS, channels).swapaxes(2, 3)
        x = BatchNorm(name="norm")(x.reshape(batch, frames, -1, SUB_BANDS * channels), train)
        return x.reshape(batch, frames, -1, SUB_BANDS, channels).swapaxes(2, 3).reshape(batch, frames, bands, channels)


class Block(nn.Module):
    """[B, T, F, C] -> [B, T, F/stride, channels]."""

    channels: int
    stride: int
    dilation: int
    enters: bool  # a new stage
    dropout: float

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        y = x
        if self.enters:
            y = Conv(self.channels, (1, 1), use_bias=False, kernel_init=HE, name="enter")(y)
            y = nn.relu(BatchNorm(name="enter_norm")(y, train))
        y = Depthwise((1, 3), (1, self.stride), ((0, 0), (1, 1)), name="bands")(y)
        y = SubBandNorm(name="bands_norm")(y, train)
        z = Depthwise((3, 1), dilation=(self.dilation, 1), name="time")(y.mean(2, keepdims=True))
        z = nn.swish(BatchNorm(name="time_norm")(z, train))
        z = Conv(self.channels, (1, 1), use_bias=False, kernel_init=HE, name="pointwise")(z)
        z = nn.Dropout(self.dropout, broadcast_dims=(1, 2), deterministic=not train)(z)  # whole channels
        return nn.relu(y + z if self.enters else x + y + z)


class BCResNet(nn.Module):
    """Log-mel features [B, T, 40, 1] (frames × bands) to logits [B, classes]."""

    channels: tuple[int, ...]  # of the stem, each of four stages, and the last convolution
    blocks: tuple[int, ...]  # in each stage
    classes: int
    dropout: float = 0.1

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        if x.shape[2] != BANDS:
            raise ValueError(f"x has {x.shape[2]} bands; BC-ResNet takes {BANDS}")
        stem, *_, last = self.channels
        x = Conv(stem, (5, 5), (1, 2), ((2, 2), (2, 2)), use_bias=False, kernel_init=HE, name="stem")(x)
        x = nn.relu(BatchNorm(name="stem_norm")(x, train))
        for name, stage, enters in self._plan():
            stride = STRIDES[stage] if enters else 1
            block = Block(self.channels[stage + 1], stride, DILATIONS[stage], enters, self.dropout, name=name)
            x = block(x, train)
        x = Depthwise((5, 5), padding=((2, 2), (0, 0)), name="all_bands")(x)
        x = Conv(last, (1, 1), use_bias=False, kernel_init=HE, name="last")(x)
        x = nn.relu(BatchNorm(name="last_norm")(x, train))
        return nn.Dense(self.classes, name="head")(jnp.mean(x, (1, 2)))

    def _plan(self):
        """(name, stage, whether it enters the stage) of each block."""
        stages = [(stage, i == 0) for stage, count in enumerate(self.blocks) for i in range(count)]
        return [(f"block{i}", stage, enters) for i, (stage, enters) in enumerate(stages)]

    def groups(self) -> dict[str, Group]:
        """Returns the groups "stem", "stage0", "stage1", ... and "last"; the blocks of a stage share their channels."""
        axes = [[*written("stem", bias=False), *batch_norm("stem_norm")], *([] for _ in self.blocks)]
        for name, stage, enters in self._plan():
            if enters:
                axes[stage].append(read(f"{name}/enter"))
                axes[stage + 1] += (*written(f"{name}/enter", bias=False), *batch_norm(f"{name}/enter_norm"))
            axes[stage + 1] += _block(name)
        axes[-1] += (Axis("all_bands/kernel", -1), read("last"))
        axes.append([*written("last", bias=False), *batch_norm("last_norm"), read("head")])
        names = ("stem", *(f"stage{i}" for i in range(len(self.blocks))), "last")
        return {name: Group(size, tuple(a)) for name, size, a in zip(names, self.channels, axes, strict=True)}

    def resize(self, sizes: dict[str, int]) -> "BCResNet":
        """Returns the same net with the named groups at other sizes. Raises ValueError for an unknown name."""
        return self.clone(channels=tuple(sizes_after(self.groups(), sizes).values()))


def _block(name):
    """A block's convolutions have the channels of the stage, in and out."""
    yield Axis(f"{name}/bands/kernel", -1)
    yield from batch_norm(f"{name}/bands_norm/norm", outer=SUB_BANDS)
    yield Axis(f"{name}/time/kernel", -1)
    yield from batch_norm(f"{name}/time_norm")
    yield read(f"{name}/pointwise")
    yield from written(f"{name}/pointwise", bias=False)


def bcresnet1(classes: int = 12) -> BCResNet:
    """Returns BC-ResNet-1, the smallest of the paper's table 1."""
    return BCResNet(channels=(16, 8, 12, 16, 20, 32), blocks=(2, 2, 4, 4), classes=classes)
