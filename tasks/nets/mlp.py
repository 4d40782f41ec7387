"""A multilayer perceptron: LeNet-300-100 is MLP(784, (300, 100), 10) (LeCun et al. 1998)."""

import jax
from flax import linen as nn

from tasks.nets.groups import Group, read, sizes_after, written


class MLP(nn.Module):
    """Inputs [B, ...], flattened to [B, features], to logits [B, classes]; ReLU after each hidden layer.

    Raises ValueError for an input that does not have that many features.
    """

    features: int
    hidden: tuple[int, ...]  # neurons of each hidden layer
    classes: int

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        x = x.reshape(len(x), -1)
        if x.shape[1] != self.features:
            raise ValueError(f"x has {x.shape[1]} features; this MLP takes {self.features}")
        for i, neurons in enumerate(self.hidden, 1):
            x = nn.relu(nn.Dense(neurons, name=f"dense{i}")(x))
        return nn.Dense(self.classes, name="head")(x)

    def groups(self) -> dict[str, Group]:
        """Returns the groups "dense1", "dense2", ..., one per hidden layer."""
        names = [*(f"dense{i}" for i in range(1, len(self.hidden) + 1)), "head"]
        layers = zip(names[:-1], names[1:], self.hidden, strict=True)
        return {layer: Group(neurons, (*written(layer), read(following))) for layer, following, neurons in layers}

    def resize(self, sizes: dict[str, int]) -> "MLP":
        """Returns the same net with the named groups at other sizes. Raises ValueError for an unknown name."""
        return self.clone(hidden=tuple(sizes_after(self.groups(), sizes).values()))
