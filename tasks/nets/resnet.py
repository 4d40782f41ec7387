"""Residual nets for small images, of three kinds.

"post": He et al. 2016 (arXiv 1512.03385, §4.2), norm after each convolution, ReLU after the sum. Shortcuts between
    streams are projections with a norm (option B; as in CRD, Tian et al. 2020, arXiv 1910.10699), because option A
    would pad the channels of one stream into the next and tie all three together.
"pre": Wide ResNet (Zagoruyko and Komodakis 2016, arXiv 1605.07146): norm and ReLU before each convolution.
"mlperf": as "post", but convolutions have biases and projections no norm (MLPerf Tiny, Banbury et al. 2021,
    arXiv 2106.07597).
"""

from functools import partial

import jax
from flax import linen as nn

from tasks.nets.groups import Group, batch_norm, read, sizes_after, written
from tasks.nets.layers.conv import HE, Conv
from tasks.nets.layers.norm import BatchNorm


class Block(nn.Module):
    """Two 3×3 convolutions around a shortcut: [B, H, W, C] -> [B, H/stride, W/stride, channels]."""

    channels: int  # of the stream it writes
    inner: int  # between the two convolutions
    stride: int
    projects: bool  # from one stream to the next
    kind: str

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        def normed(x, name):
            return BatchNorm(name=name)(x, train)

        conv = partial(Conv, use_bias=self.kind == "mlperf", kernel_init=HE)
        strides, pre = (self.stride, self.stride), self.kind == "pre"
        start = nn.relu(normed(x, "norm1")) if pre else x
        y = conv(self.inner, (3, 3), strides, name="conv1")(start)
        y = nn.relu(normed(y, "norm2" if pre else "norm1"))
        y = conv(self.channels, (3, 3), name="conv2")(y)
        if self.projects:
            x = conv(self.channels, (1, 1), strides, name="projection")(start)
            x = normed(x, "projection_norm") if self.kind == "post" else x
        return x + y if pre else nn.relu(x + normed(y, "norm2"))


class ResNet(nn.Module):
    """Images [B, H, W, C] to logits [B, classes].

    The stem writes the first residual stream; each further stream is entered by a block that projects.
    """

    streams: tuple[int, ...]  # channels of each residual stream
    blocks: tuple[int, ...]  # on each stream
    strides: tuple[int, ...]  # on entering each stream
    inner: tuple[int, ...]  # channels between the two convolutions, one number per block
    classes: int
    kind: str = "post"

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        strides = (self.strides[0], self.strides[0])
        bias = self.kind == "mlperf"
        x = Conv(self.streams[0], (3, 3), strides, use_bias=bias, kernel_init=HE, name="stem")(x)
        if self.kind != "pre":
            x = nn.relu(BatchNorm(name="stem_norm")(x, train))
        for (name, stream, enters), inner in zip(self._plan(), self.inner, strict=True):
            stride = self.strides[stream] if enters else 1
            x = Block(self.streams[stream], inner, stride, enters, self.kind, name=name)(x, train)
        if self.kind == "pre":
            x = nn.relu(BatchNorm(name="norm")(x, train))
        return nn.Dense(self.classes, name="head")(x.mean((1, 2)))

    def _plan(self):
        """(name, number of its stream, whether it enters it) of each block."""
        streams = [(stream, i == 0 < stream) for stream, count in enumerate(self.blocks) for i in range(count)]
        return [(f"block{i}", stream, enters) for i, (stream, enters) in enumerate(streams)]

    def groups(self) -> dict[str, Group]:
        """Returns the groups "block0", "block1", ..., each inside a block, then the residual streams "stream0", ..."""
        pre, write = self.kind == "pre", partial(written, bias=self.kind == "mlperf")
        streams = [[] for _ in self.streams]
        streams[0] += write("stem") if pre else (*write("stem"), *batch_norm("stem_norm"))
        groups = {}
        for (name, stream, enters), inner in zip(self._plan(), self.inner, strict=True):
            before, after = streams[stream - enters], streams[stream]
            norms = [batch_norm(f"{name}/norm{i}") for i in (1, 2)]
            before += (*norms[0], read(f"{name}/conv1")) if pre else (read(f"{name}/conv1"),)
            after += write(f"{name}/conv2") if pre else (*write(f"{name}/conv2"), *norms[1])
            if enters:
                before.append(read(f"{name}/projection"))
                after += write(f"{name}/projection")
                after += batch_norm(f"{name}/projection_norm") if self.kind == "post" else ()
            groups[name] = Group(inner, (*write(f"{name}/conv1"), *norms[pre], read(f"{name}/conv2")))
        streams[-1] += (*batch_norm("norm"), read("head")) if pre else (read("head"),)
        sizes = zip(self.streams, streams, strict=True)
        return groups | {f"stream{i}": Group(size, tuple(axes)) for i, (size, axes) in enumerate(sizes)}

    def resize(self, sizes: dict[str, int]) -> "ResNet":
        """Returns the same net with the named groups at other sizes. Raises ValueError for an unknown name."""
        new = list(sizes_after(self.groups(), sizes).values())
        return self.clone(inner=tuple(new[: len(self.inner)]), streams=tuple(new[len(self.inner) :]))


def resnet(depth: int, classes: int) -> ResNet:
    """Returns ResNet-20, 32, 44, 56 or 110 of He et al. Raises ValueError unless depth is 6n + 2."""
    return _even((16, 32, 64), (_per_stream(depth, 2),) * 3, (1, 2, 2), classes)


def resnet_x4(depth: int, classes: int) -> ResNet:
    """Returns resnet8x4 or resnet32x4 of CRD: wider, and the stem has a stream of its own.

    Raises ValueError unless depth is 6n + 2.
    """
    return _even((32, 64, 128, 256), (0, *(_per_stream(depth, 2),) * 3), (1, 1, 2, 2), classes)


def wide_resnet(depth: int, width: int, classes: int) -> ResNet:
    """Returns WRN-depth-width, a Wide ResNet.

    Args:
        depth: number of layers, 6n + 4.
        width: factor on the channels of the three streams behind the stem's.
        classes: of the output.

    Raises:
        ValueError: depth is not 6n + 4.
    """
    streams = (16, 16 * width, 32 * width, 64 * width)
    return _even(streams, (0, *(_per_stream(depth, 4),) * 3), (1, 1, 2, 2), classes, "pre")


def resnet8() -> ResNet:
    """Returns the image classifier of MLPerf Tiny, for CIFAR-10."""
    return _even((16, 32, 64), (1, 1, 1), (1, 2, 2), 10, "mlperf")


def _per_stream(depth, outside):
    blocks, rest = divmod(depth - outside, 6)
    if rest:
        raise ValueError(f"depth is {depth}; it must be 6n + {outside}")
    return blocks


def _even(streams, blocks, strides, classes, kind="post"):
    """Blocks as wide inside as the stream that they write."""
    inner = tuple(size for size, count in zip(streams, blocks, strict=True) for _ in range(count))
    return ResNet(streams, blocks, strides, inner, classes, kind)
