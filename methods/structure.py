"""Groups of channels: which of a net's channels live and die together, what each is worth, and the net with fewer.

A net that can be made smaller has `groups` and `resize`. `Net`, `Group` and `Axis` are all that a method asks of them.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

import jax
import numpy as np
from flax import linen as nn

from methods.base import Fallback, Knob, PyTree
from methods.paths import flatten, replace

Leaves = Mapping[str, np.ndarray]  # weights by path
KEPT = Knob("kept fraction", 0, 1)
WIDTHS = ((0.75,), (0.625,), (0.5,), (0.375,), (0.25,), (0.125,))


class Axis(Protocol):
    """Where a group's channels lie in one leaf: the axis has length outer · size · inner, in that order."""

    @property
    def path(self) -> str:
        """Path of the leaf, "conv1/kernel"."""
        ...

    @property
    def axis(self) -> int:
        """Number of the axis, from either end."""
        ...

    @property
    def produces(self) -> bool:
        """Whether these weights make the channels: then their L1 norm is the saliency."""
        ...

    @property
    def outer(self) -> int:
        """What varies more slowly than the channels: H·W where a [H, W, C] map was flattened."""
        ...

    @property
    def inner(self) -> int:
        """What varies faster than the channels: the width of a head."""
        ...

    @property
    def collection(self) -> str:
        """Collection of the leaf: "params" or "batch_stats"."""
        ...


class Group(Protocol):
    """Channels, neurons or heads that live and die together."""

    @property
    def size(self) -> int:
        """How many there are."""
        ...

    @property
    def axes(self) -> Sequence[Axis]:
        """Every place where they lie."""
        ...


class Net(Protocol):
    """A Flax net whose groups of channels can be made smaller."""

    def groups(self) -> Mapping[str, Group]:
        """Returns the groups by name."""
        ...

    def resize(self, sizes: dict[str, int], /) -> nn.Module:
        """Returns the net with groups of these sizes, by name."""
        ...


def kept_size(size: int, fraction: float | jax.Array) -> int:
    """Returns how many channels of `size` are kept: the integer nearest to fraction · size.

    Where that is 0 it is one, with a Fallback.
    """
    kept = round(float(fraction) * size)
    if kept == 0:
        warnings.warn(Fallback(f"1 channel of {size} is kept, where {float(fraction):g} of them is none"), stacklevel=2)
    return max(1, kept)


def resized(net: Net, variables: PyTree, fraction: float | jax.Array, example: PyTree) -> tuple[nn.Module, dict]:
    """Returns the net with fewer channels in each group, and the groups' sizes by name. Computes no weight.

    Args:
      net: the larger one.
      variables: of that net.
      fraction: of the channels of each group, see `kept_size`.
      example: one input [1, ...].

    Raises:
      ValueError: a group's axes do not fit the net, or `resize` does not do what they say; the message names the group.
    """
    groups, shapes = net.groups(), _shapes(variables)
    sizes = {name: kept_size(group.size, fraction) for name, group in groups.items()}
    for name, group in groups.items():
        _check(name, group, shapes)
    try:
        smaller = net.resize(sizes)
        made = _shapes(jax.eval_shape(partial(smaller.init, train=False), jax.random.key(0), example))
    except Exception as error:  # whatever a net of a user's raises
        cause = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        raise ValueError(f"groups {sorted(sizes)}: resize({sizes}) makes a net that fails: {cause}") from error
    for path, shape in _narrowed(groups, sizes, shapes).items():
        if made.get(path) != shape:
            raise ValueError(
                f"groups {sorted(sizes)}: resize({sizes}) makes {path} {made.get(path)}, but by the groups' axes it is "
                f"{shape}: an axis is missing or not resized"
            )
    return smaller, sizes


def _shapes(variables: PyTree) -> dict[str, tuple[int, ...]]:
    """Returns {"params/conv1/kernel": shape}."""
    return {path: np.shape(leaf) for path, leaf in flatten(variables).items()}


def _check(name: str, group: Group, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raises ValueError unless the group's channels lie where its axes say."""
    for place in group.axes:
        path, length = f"{place.collection}/{place.path}", place.outer * group.size * place.inner
        shape = shapes.get(path, ())
        if not -len(shape) <= place.axis < len(shape) or shape[place.axis] != length:
            found = f"its shape is {shape}" if path in shapes else "there is no such leaf"
            raise ValueError(f"group {name!r}: axis {place.axis} of {path} must have length {length}, but {found}")
    if not any(place.produces for place in group.axes):
        raise ValueError(f"group {name!r}: no axis produces its channels (produces=True), so nothing ranks them")


def _narrowed(
    groups: Mapping[str, Group], sizes: Mapping[str, int], shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, tuple[int, ...]]:
    """Returns the shapes that leaves have once the groups have these sizes."""
    after = {path: list(shape) for path, shape in shapes.items()}
    for name, group in groups.items():
        for place in group.axes:
            after[f"{place.collection}/{place.path}"][place.axis] = place.outer * sizes[name] * place.inner
    return {path: tuple(shape) for path, shape in after.items()}


def l1_norms(groups: Mapping[str, Group], leaves: Leaves) -> dict[str, np.ndarray]:
    """Returns the saliency, float64 [size], of each channel of each group, by the group's name."""
    return {name: saliency(group, leaves) for name, group in groups.items()}


def saliency(group: Group, leaves: Leaves) -> np.ndarray:
    """Returns the L1 norm, float64 [size], of each channel of `group`, over all the weights that produce it.

    `leaves` are the weights by path.
    """
    total = np.zeros(group.size, np.float64)
    for place in group.axes:
        if place.produces:
            weight = np.moveaxis(np.abs(np.asarray(leaves[place.path], np.float64)), place.axis, 0)
            total += weight.reshape(place.outer, group.size, -1).sum(axis=(0, 2))
    return total


def positions(kept: np.ndarray, group: Group, place: Axis) -> np.ndarray:
    """Returns the indices along an axis, int [outer · len(kept) · inner], at which some channels lie.

    Args:
      kept: numbers of the channels, int [n].
      group: that they belong to.
      place: one of its axes.
    """
    index = np.arange(place.outer * group.size * place.inner).reshape(place.outer, group.size, place.inner)
    return index[:, kept].ravel()


Scores = Callable[[Mapping[str, Group], Leaves], Mapping[str, np.ndarray]]
"""(groups by name, weights by path) -> scores [size] of each group's channels, by its name."""


def shrink(
    net: Net, variables: PyTree, fraction: float | jax.Array, example: PyTree, score: Scores = l1_norms
) -> tuple[nn.Module, dict[str, PyTree]]:
    """Returns the net with only the channels of largest score in each group, and its variables.

    Args:
      net: the larger one.
      variables: of that net.
      fraction: of the channels of each group, see `kept_size`.
      example: one input [1, ...].
      score: of the channels; of tied ones the first are kept.

    Raises:
      ValueError: the groups do not fit the net, see `resized`.
    """
    smaller, sizes = resized(net, variables, fraction, example)
    leaves = {name: {path: np.asarray(leaf) for path, leaf in flatten(c).items()} for name, c in variables.items()}
    groups = net.groups()
    scores = score(groups, leaves["params"])
    for name, group in groups.items():
        kept = np.sort(np.argsort(-scores[name], kind="stable")[: sizes[name]])
        for place in group.axes:
            own = leaves[place.collection]
            own[place.path] = np.take(own[place.path], positions(kept, group, place), place.axis)
    return smaller, {name: replace(variables[name], jax.device_put(own)) for name, own in leaves.items()}
