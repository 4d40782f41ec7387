"""A small convolutional net for images: two convolutions with pooling and one hidden layer (LeCun et al. 1998)."""

from flax import linen as nn

from tasks.nets.groups import Axis, Group, sizes_after


class ConvNet(nn.Module):
    """Square images [B, S, S, C] to logits [B, classes]; the side S is a multiple of 4."""

    side: int
    channels: tuple[int, int]  # of the two convolutions
    hidden: int  # neurons
    classes: int

    @nn.compact
    def __call__(self, x, train: bool = False):
        for i, channels in enumerate(self.channels, 1):
            x = nn.relu(nn.Conv(channels, (3, 3), name=f"conv{i}")(x))
            x = max_pool(x)
        x = x.reshape(len(x), -1)
        x = nn.relu(nn.Dense(self.hidden, name="dense1")(x))
        return nn.Dense(self.classes, name="head")(x)

    def groups(self) -> dict[str, Group]:
        positions = (self.side // 4) ** 2
        return {
            "conv1": Group(self.channels[0], (*_made_by("conv1", 3), Axis("conv2/kernel", 2))),
            "conv2": Group(self.channels[1], (*_made_by("conv2", 3), Axis("dense1/kernel", 0, outer=positions))),
            "dense1": Group(self.hidden, (*_made_by("dense1", 1), Axis("head/kernel", 0))),
        }

    def resize(self, sizes: dict[str, int]) -> "ConvNet":
        new = sizes_after(self.groups(), sizes)
        return self.clone(channels=(new["conv1"], new["conv2"]), hidden=new["dense1"])


def max_pool(x):
    """Non-overlapping 2×2 maximum: [B, H, W, C] -> [B, H/2, W/2, C].

    As reshape and max, because the gradient of a windowed maximum is slow on CPUs.
    """
    batch, height, width, channels = x.shape
    return x.reshape(batch, height // 2, 2, width // 2, 2, channels).max((2, 4))


def _made_by(layer, axis):
    return Axis(f"{layer}/kernel", axis, produces=True), Axis(f"{layer}/bias", 0)
