"""A small convolutional net for images: two convolutions with pooling and one hidden layer (LeCun et al. 1998).

LeNet-5 as in Caffe, 431,080 parameters on 28 × 28 × 1, is `lenet5()`. Caffe's own has a ReLU after the hidden layer
only; here, as in most papers that compress it (e.g. Louizos et al. 2018, arXiv 1712.01312), also after convolutions.
"""

import jax
from flax import linen as nn

from tasks.nets.groups import Group, read, sizes_after, written
from tasks.nets.layers.conv import Conv, max_pool


class ConvNet(nn.Module):
    """Square images [B, S, S, C] to logits [B, classes]; each of the two maps that are pooled has an even side."""

    side: int
    channels: tuple[int, int]  # of the two convolutions
    hidden: int  # neurons
    classes: int
    kernel: int = 3  # side of the convolutions' kernels
    padding: str = "SAME"  # or "VALID"

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        for i, channels in enumerate(self.channels, 1):
            x = nn.relu(Conv(channels, (self.kernel, self.kernel), padding=self.padding, name=f"conv{i}")(x))
            x = max_pool(x)
        x = x.reshape(len(x), -1)
        x = nn.relu(nn.Dense(self.hidden, name="dense1")(x))
        return nn.Dense(self.classes, name="head")(x)

    def groups(self) -> dict[str, Group]:
        """Returns the groups "conv1", "conv2" and "dense1"."""
        lost = self.kernel - 1 if self.padding == "VALID" else 0
        positions = (((self.side - lost) // 2 - lost) // 2) ** 2
        return {
            "conv1": Group(self.channels[0], (*written("conv1"), read("conv2"))),
            "conv2": Group(self.channels[1], (*written("conv2"), read("dense1", outer=positions))),
            "dense1": Group(self.hidden, (*written("dense1"), read("head"))),
        }

    def resize(self, sizes: dict[str, int]) -> "ConvNet":
        """Returns the same net with the named groups at other sizes. Raises ValueError for an unknown name."""
        new = sizes_after(self.groups(), sizes)
        return self.clone(channels=(new["conv1"], new["conv2"]), hidden=new["dense1"])


def lenet5() -> ConvNet:
    """Returns LeNet-5 as in Caffe, for images [B, 28, 28, 1] of 10 classes."""
    return ConvNet(side=28, channels=(20, 50), hidden=500, classes=10, kernel=5, padding="VALID")
