"""Which channels of a net live and die together: what structured pruning removes and a smaller student lacks."""

import difflib
from collections.abc import Callable
from typing import Any, NamedTuple, TypedDict, Unpack

from flax import linen as nn
from flax import traverse_util


class Axis(NamedTuple):
    """Where a group's channels lie in one leaf: the axis has length outer · size · inner, in that order."""

    path: str  # "conv1/kernel"
    axis: int
    produces: bool = False  # the weights that make the channels: their L1 norm is the saliency
    outer: int = 1  # e.g. H·W where a [H, W, C] map was flattened
    inner: int = 1  # e.g. the width of a head
    collection: str = "params"  # or "batch_stats"


class Layout(TypedDict, total=False):
    """How a group's channels lie along an axis; see `Axis`."""

    outer: int
    inner: int


class Group(NamedTuple):
    """`size` channels, neurons or heads, and every place where they lie."""

    size: int
    axes: tuple[Axis, ...]


def sizes_after(groups: dict[str, Group], sizes: dict[str, int]) -> dict[str, int]:
    """Returns the size of every group once those in `sizes` are changed. Raises ValueError for an unknown name."""
    if unknown := sorted(set(sizes) - set(groups)):
        raise ValueError(f"no channel group is named {unknown}; groups are {sorted(groups)}")
    return {name: sizes.get(name, group.size) for name, group in groups.items()}


def written(layer: str, bias: bool = True, **layout: Unpack[Layout]) -> tuple[Axis, ...]:
    """Returns the outputs of a dense or convolution layer: the last axis of its kernel, and its bias."""
    kernel = Axis(f"{layer}/kernel", -1, produces=True, **layout)
    return (kernel, Axis(f"{layer}/bias", 0, **layout)) if bias else (kernel,)


def read(layer: str, **layout: Unpack[Layout]) -> Axis:
    """Returns the inputs of a dense or convolution layer: the last axis but one of its kernel."""
    return Axis(f"{layer}/kernel", -2, **layout)


def affine(layer: str, **layout: Unpack[Layout]) -> tuple[Axis, ...]:
    """Returns what a norm learns: its scale and bias."""
    return tuple(Axis(f"{layer}/{leaf}", 0, **layout) for leaf in ("scale", "bias"))


def batch_norm(layer: str, **layout: Unpack[Layout]) -> tuple[Axis, ...]:
    """Returns what a batch norm learns, and its running statistics."""
    running = (Axis(f"{layer}/{leaf}", 0, collection="batch_stats", **layout) for leaf in ("mean", "var"))
    return (*affine(layer, **layout), *running)


Shapes = Callable[[nn.Module], dict[str, Any]]
"""Net -> its untrained variables, or their shapes and dtypes."""


def problems(net: nn.Module, shapes: Shapes) -> list[str]:
    """Returns a line for each way in which the net's groups do not say what its leaves are; [] if they do.

    Leaves must be there, as long as their Axis says, and the only ones to change when the net is resized. No weight is
    computed; a net without `groups` has no problems.

    Args:
        net: has `groups()` and `resize(sizes)`.
        shapes: net -> its untrained variables, e.g. `lambda net: jax.eval_shape(net.init, key, x)`.
    """
    if not hasattr(net, "groups"):
        return []
    leaves, groups = _leaf_shapes(shapes(net)), net.groups()
    wrong = [line for name, group in groups.items() for line in _misplaced(name, group, leaves)]
    # All at once, neighbours by different shares; one by one only where that fails, to say which.
    sizes = {name: _smaller(group.size, i % 2) for i, (name, group) in enumerate(groups.items())}
    if not wrong and _resized(net, groups, sizes, leaves, shapes):
        alone = ({name: sizes[name]} for name in groups)
        wrong = [line for size in alone for line in _resized(net, groups, size, leaves, shapes)]
        wrong = wrong or _resized(net, groups, sizes, leaves, shapes)
    return wrong


def _leaf_shapes(variables):
    """The shapes by path, {"params/conv1/kernel": shape, ...}."""
    flat: dict[str, Any] = traverse_util.flatten_dict(variables, sep="/")
    return {path: tuple(leaf.shape) for path, leaf in flat.items() if hasattr(leaf, "shape")}


def _smaller(size, share):
    """Half or three quarters of a group, at least 1: fractions that most divisors of widths allow."""
    return max(1, size - size // (2 + 2 * share))


def _misplaced(name, group, leaves):
    """A line for each Axis that is not where, or not as long as, it says."""
    for axis in group.axes:
        path = f"{axis.collection}/{axis.path}"
        if path not in leaves:
            near = difflib.get_close_matches(path, leaves, 1)
            yield f"group {name!r}: there is no leaf {path}" + (f"; did you mean {near[0]}?" if near else "")
            continue
        shape = leaves[path]
        if not -len(shape) <= axis.axis < len(shape):
            yield f"group {name!r}: {path} has no axis {axis.axis}; its shape is {shape}"
        elif shape[axis.axis] != axis.outer * group.size * axis.inner:
            parts, length = f"{axis.outer} · {group.size} · {axis.inner}", shape[axis.axis]
            yield f"group {name!r}: axis {axis.axis} of {path} has length {length}; outer · size · inner is {parts}"
    if not any(axis.produces for axis in group.axes):
        yield f"group {name!r}: no Axis produces its channels (produces=True), so nothing ranks them"


def _resized(net, groups, sizes, leaves, shapes):
    """A line for each leaf whose shape is not the expected one once the groups have these sizes."""
    of = f"group {next(iter(sizes))!r}" if len(sizes) == 1 else "groups"
    try:
        found = _leaf_shapes(shapes(net.resize(sizes)))
    except Exception as error:  # whatever a net of a user's raises
        return [f"{of}: resize({sizes}) makes a net that fails ({type(error).__name__}: {_first_line(error)})"]
    expected = dict(leaves)
    for name, size in sizes.items():
        for axis in groups[name].axes:
            path = f"{axis.collection}/{axis.path}"
            shape = list(expected[path])
            shape[axis.axis] = axis.outer * size * axis.inner
            expected[path] = tuple(shape)
    return [
        f"{of}: {path} has shape {found.get(path)} after resize({sizes}), must be {expected.get(path)}: "
        "an Axis is missing or not resized"
        for path in sorted(found.keys() | expected.keys())
        if found.get(path) != expected.get(path)
    ]


def _first_line(error):
    return (str(error).splitlines() or [""])[0][:160]
