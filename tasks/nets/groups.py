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
