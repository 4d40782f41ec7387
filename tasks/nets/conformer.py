"""A small Conformer for speech recognition by CTC (Gulati et al. 2020, arXiv 2005.08100, §2).

Convolutions quarter the frame rate; then blocks of half a feed-forward, self-attention, a convolution module, half a
feed-forward and a norm. Deviation: attention has no relative positions; at this size the convolutions tell the order.
"""

import jax
from flax import linen as nn

from tasks.nets.groups import Axis, Group, affine, batch_norm, read, sizes_after, written
from tasks.nets.layers.attention import Attention, attends, heads_of
from tasks.nets.layers.conv import Conv, Depthwise
from tasks.nets.layers.dropout import dropout
from tasks.nets.layers.norm import BatchNorm


def real_frames(x: jax.Array) -> jax.Array:
    """Returns which output frames of features [B, T, M] are no padding: bool [B, T/4], rounded up.

    A frame of features that are all 0 is padding. `optax.ctc_loss` takes the opposite, 1 where a frame is padding.
    """
    return (x != 0).any(-1)[:, ::4]


class FeedForward(nn.Module):
    """norm, dense, swish, dense: [B, T, D] -> [B, T, D]."""

    neurons: int
    dropout: float

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        hidden = nn.swish(nn.Dense(self.neurons, name="up")(nn.LayerNorm(name="norm")(x)))
        y = nn.Dense(x.shape[-1], name="down")(dropout(hidden, self.dropout, train))
        return dropout(y, self.dropout, train)


class Convolution(nn.Module):
    """norm, gated pointwise, depthwise along time, batch norm, swish, pointwise: [B, T, D] -> [B, T, D]."""

    channels: int
    kernel: int
    dropout: float

    @nn.compact
    def __call__(self, x: jax.Array, real: jax.Array, train: bool) -> jax.Array:
        y = nn.Dense(2 * self.channels, name="up")(nn.LayerNorm(name="norm")(x))
        y = nn.glu(y) * real[..., None]  # padding must not leak into its neighbours
        y = Depthwise((self.kernel, 1), name="depthwise")(y[:, :, None])[:, :, 0]
        y = nn.swish(BatchNorm(name="batch_norm")(y, train, real))
        return dropout(nn.Dense(x.shape[-1], name="down")(y), self.dropout, train)


class Block(nn.Module):
    """[B, T, D] -> [B, T, D]; `real [B, T]` marks what is no padding."""

    heads: int
    head_width: int
    mlp: tuple[int, ...]  # neurons of the two feed-forwards
    channels: int
    kernel: int
    dropout: float

    @nn.compact
    def __call__(self, x: jax.Array, real: jax.Array, train: bool) -> jax.Array:
        x = x + 0.5 * FeedForward(self.mlp[0], self.dropout, name="mlp1")(x, train)
        attention = Attention(self.heads, self.head_width, self.dropout, name="attention")
        attended = attention(nn.LayerNorm(name="attention_norm")(x), real[:, None, None], train)
        x = x + dropout(attended, self.dropout, train)
        x = x + Convolution(self.channels, self.kernel, self.dropout, name="conv")(x, real, train)
        x = x + 0.5 * FeedForward(self.mlp[1], self.dropout, name="mlp2")(x, train)
        return nn.LayerNorm(name="norm")(x)


class Conformer(nn.Module):
    """Features [B, T, bands] to logits [B, T/4, classes], rounded up; class 0 is CTC's blank. See `real_frames`."""

    bands: int
    subsampling: tuple[int, int]  # channels of the two strided convolutions
    width: int  # of the residual stream
    head_width: int
    heads: tuple[int, ...]  # one number per block
    mlp: tuple[int, ...]  # neurons, two numbers per block
    channels: tuple[int, ...]  # of the convolution module, one number per block
    kernel: int  # frames that it sees
    classes: int
    dropout: float = 0.0

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        real, y = real_frames(x), x[..., None]
        for i, channels in enumerate(self.subsampling, 1):
            y = y * (x != 0).any(-1)[:, :: 2 ** (i - 1), None, None]
            y = nn.relu(Conv(channels, (3, 3), (2, 2), ((1, 1), (1, 1)), name=f"subsample{i}")(y))
        y = dropout(nn.Dense(self.width, name="project")(y.reshape(*real.shape, -1)), self.dropout, train)
        for i, (heads, channels) in enumerate(zip(self.heads, self.channels, strict=True)):
            mlp = self.mlp[2 * i : 2 * i + 2]
            block = Block(heads, self.head_width, mlp, channels, self.kernel, self.dropout, name=f"block{i}")
            y = block(y, real, train)
        return nn.Dense(self.classes, name="head")(y)

    def groups(self) -> dict[str, Group]:
        """Returns the groups "subsample1", "subsample2", "width" and, per block, "heads", "mlp1", "mlp2" and "conv"."""
        groups = {
            "subsample1": Group(self.subsampling[0], (*written("subsample1"), read("subsample2"))),
            "subsample2": Group(
                self.subsampling[1], (*written("subsample2"), read("project", outer=-(-self.bands // 4)))
            ),
            "width": Group(self.width, tuple(_stream(len(self.heads)))),
        }
        for i in range(len(self.heads)):
            name = f"block{i}"
            groups[f"{name}/heads"] = Group(self.heads[i], tuple(heads_of(f"{name}/attention", self.head_width)))
            for mlp, size in zip(("mlp1", "mlp2"), self.mlp[2 * i :], strict=False):
                layers = f"{name}/{mlp}/up", f"{name}/{mlp}/down"
                groups[f"{name}/{mlp}"] = Group(size, (*written(layers[0]), read(layers[1])))
            groups[f"{name}/conv"] = Group(self.channels[i], tuple(_convolution(f"{name}/conv")))
        return groups

    def resize(self, sizes: dict[str, int]) -> "Conformer":
        """Returns the same net with the named groups at other sizes. Raises ValueError for an unknown name."""
        new = sizes_after(self.groups(), sizes)
        blocks = [f"block{i}" for i in range(len(self.heads))]
        return self.clone(
            subsampling=(new["subsample1"], new["subsample2"]),
            width=new["width"],
            heads=tuple(new[f"{name}/heads"] for name in blocks),
            mlp=tuple(new[f"{name}/{mlp}"] for name in blocks for mlp in ("mlp1", "mlp2")),
            channels=tuple(new[f"{name}/conv"] for name in blocks),
        )


def _convolution(name):
    """`up` has 2·C outputs: C values, then their C gates."""
    yield from written(f"{name}/up", outer=2)
    yield Axis(f"{name}/depthwise/kernel", -1)
    yield from batch_norm(f"{name}/batch_norm")
    yield read(f"{name}/down")


def _stream(blocks):
    """Every place where the residual stream is written, normalized or read."""
    yield from written("project")
    for name in (f"block{i}" for i in range(blocks)):
        for part in ("mlp1", "conv", "mlp2"):
            yield from affine(f"{name}/{part}/norm")
            yield read(f"{name}/{part}/up")
            yield from written(f"{name}/{part}/down")
        yield from attends(f"{name}/attention", f"{name}/attention_norm")
        yield from affine(f"{name}/norm")
    yield read("head")


def conformer(
    bands: int, classes: int, layers: int = 2, width: int = 64, heads: int = 4, dropout: float = 0.1
) -> Conformer:
    """Returns a net whose blocks are alike, with 4 · width neurons and `width` channels.

    Args:
        bands: features of a frame.
        classes: of the output, CTC's blank included.
        layers: number of blocks.
        width: of the residual stream; a multiple of `heads`.
        heads: of attention, in each block.
        dropout: share that training zeroes.
    """
    return Conformer(
        bands=bands,
        subsampling=(16, 16),
        width=width,
        head_width=width // heads,
        heads=(heads,) * layers,
        mlp=(4 * width,) * (2 * layers),
        channels=(width,) * layers,
        kernel=9,
        classes=classes,
        dropout=dropout,
    )
