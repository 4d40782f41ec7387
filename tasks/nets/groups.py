"""Which channels of a net live and die together: what structured pruning removes and a smaller student lacks."""

from typing import NamedTuple


class Axis(NamedTuple):
    """Where a group's channels lie in one leaf: the axis has length outer · size · inner, in that order."""

    path: str  # "conv1/kernel"
    axis: int
    produces: bool = False  # the weights that make the channels: their L1 norm is the saliency
    outer: int = 1  # e.g. H·W where a [H, W, C] map was flattened
    inner: int = 1  # e.g. the width of a head
    collection: str = "params"  # or "batch_stats"


class Group(NamedTuple):
    """`size` channels, neurons or heads, and every place where they lie."""

    size: int
    axes: tuple[Axis, ...]


def sizes_after(groups: dict[str, Group], sizes: dict[str, int]) -> dict[str, int]:
    """The size of every group once those in `sizes` are changed. Raises ValueError for a name that is no group."""
    if unknown := sorted(set(sizes) - set(groups)):
        raise ValueError(f"no channel group is named {unknown}; groups are {sorted(groups)}")
    return {name: sizes.get(name, group.size) for name, group in groups.items()}


def written(layer: str, bias: bool = True, **layout: int) -> tuple[Axis, ...]:
    """The outputs of a dense or convolution layer: the last axis of its kernel, and its bias."""
    kernel = Axis(f"{layer}/kernel", -1, produces=True, **layout)
    return (kernel, Axis(f"{layer}/bias", 0, **layout)) if bias else (kernel,)


def read(layer: str, **layout: int) -> Axis:
    """The inputs of a dense or convolution layer: the last axis but one of its kernel."""
    return Axis(f"{layer}/kernel", -2, **layout)


def affine(layer: str, **layout: int) -> tuple[Axis, ...]:
    """What a norm learns: its scale and bias."""
    return tuple(Axis(f"{layer}/{leaf}", 0, **layout) for leaf in ("scale", "bias"))


def batch_norm(layer: str, **layout: int) -> tuple[Axis, ...]:
    """What a batch norm learns, and its running statistics."""
    running = (Axis(f"{layer}/{leaf}", 0, collection="batch_stats", **layout) for leaf in ("mean", "var"))
    return (*affine(layer, **layout), *running)
