"""Where the axes of a weight lie in a value made of it: followed through whatever moves numbers without mixing them."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple


class Part(NamedTuple):
    """A factor of an axis of a value."""

    axes: frozenset[int]  # of the weight, that run along it; none where the value repeats
    size: int


Axis = tuple[Part, ...]
"""One axis of a value: its factors, the slowest first. An axis of size 1 has none."""
View = tuple[Axis, ...] | None
"""All axes of a value; None where the weight cannot be followed."""


def whole(shape: Sequence[int]) -> View:
    """Returns the view of the weight itself."""
    return tuple(_axis(frozenset({i}), n) for i, n in enumerate(shape))


def along(view: View, dimensions: Sequence[int]) -> frozenset[int] | None:
    """Returns the axes of the weight that lie along some axes of the value."""
    return None if view is None else frozenset().union(*(_labels(view[i]) for i in dimensions))


def merged(a: View, b: View) -> View:
    """Returns the view of a value of one shape that comes from two: what one of them follows counts for both."""
    if a is None or b is None:
        return b if a is None else a
    return tuple(_both(x, y) for x, y in zip(a, b, strict=True))


def _both(x: Axis, y: Axis) -> Axis:
    if x == y or not _labels(y):
        return x
    return _axis(_labels(x) | _labels(y), _size(x)) if _labels(x) else y


def sliced(view: View) -> View:
    """Returns the view of one slice along the first axis, as the body of a scan sees it."""
    return None if view is None else view[1:]


def stacked(view: View, length: int) -> View:
    """Returns the view of `length` such values, one after another along a new first axis."""
    return None if view is None else (_axis(frozenset(), length), *view)


def followed(eqn: Any, operand: int, view: View) -> list[View]:
    """Returns where the weight lies in each output of an equation.

    Args:
      eqn: of a jaxpr; not one that contains another jaxpr, nor a product.
      operand: index of the one that the weight lies in.
      view: where it lies there.
    """
    shapes = [v.aval.shape for v in eqn.outvars]
    name = eqn.primitive.name
    if view is None or name in _MIXES:
        return [None] * len(shapes)
    if rule := _RULES.get(name):
        return [rule(eqn, view, shape) for shape in shapes]
    same = eqn.invars[operand].aval.shape  # else it is taken for elementwise where the shape is kept
    return [view if shape == same else None for shape in shapes]


_MIXES = {
    *("cholesky", "custom_linear_solve", "eig", "eigh", "fft", "householder_product", "lu", "qr", "schur", "svd"),
    *("triangular_solve", "tridiagonal_solve"),
}
"""Operations that mix the numbers of a matrix and may keep its shape."""


def _reshape(eqn: Any, view: tuple[Axis, ...], shape: Sequence[int]) -> View:
    """Cuts the factors of all axes, in order or first permuted, into the new axes."""
    order = eqn.params["dimensions"] or range(len(view))
    rest, axes = [part for i in reversed(order) for part in reversed(view[i])], []
    for size in shape:
        axis = []
        while size > 1:
            part = rest.pop() if rest else None
            if part is None or (size % part.size and part.size % size):
                return None  # the end of the new axis lies inside a row of the old one
            take = min(size, part.size)
            axis.append(part._replace(size=take))
            if part.size > take:
                rest.append(part._replace(size=part.size // take))
            size //= take
        axes.append(tuple(axis))
    return tuple(axes)


def _broadcast(eqn: Any, view: tuple[Axis, ...], shape: Sequence[int]) -> View:
    axes = [_axis(frozenset(), n) for n in shape]
    for i, axis in zip(eqn.params["broadcast_dimensions"], view, strict=True):
        axes[i] = axis or axes[i]
    return tuple(axes)


def _resize(eqn: Any, view: tuple[Axis, ...], shape: Sequence[int]) -> View:
    """Keeps the axes in their places, longer or shorter: slices, padding, concatenation."""
    return tuple(x if _size(x) == n else _axis(_labels(x), n) for x, n in zip(view, shape, strict=True))


def _gather(eqn: Any, view: tuple[Axis, ...], shape: Sequence[int]) -> View:
    """Puts whole axes in the places of offsets; along all others runs what the indices choose from."""
    numbers = eqn.params["dimension_numbers"]
    indexed = {*numbers.start_index_map, *numbers.operand_batching_dims}
    chosen = along(view, [i for i in indexed if eqn.params["slice_sizes"][i] == 1]) or frozenset()
    gone = {*numbers.collapsed_slice_dims, *numbers.operand_batching_dims}
    offsets = dict(zip(numbers.offset_dims, (i for i in range(len(view)) if i not in gone), strict=True))
    labels = [_labels(view[offsets[i]]) if i in offsets else chosen for i in range(len(shape))]
    return tuple(_axis(axes, n) for axes, n in zip(labels, shape, strict=True))


_RULES: dict[str, Callable[[Any, tuple[Axis, ...], Sequence[int]], View]] = {
    "transpose": lambda eqn, view, shape: tuple(view[i] for i in eqn.params["permutation"]),
    "squeeze": lambda eqn, view, shape: tuple(a for i, a in enumerate(view) if i not in eqn.params["dimensions"]),
    "reshape": _reshape,
    "broadcast_in_dim": _broadcast,
    "stack": lambda eqn, view, shape: (*view[: (i := eqn.params["axis"])], _axis(frozenset(), shape[i]), *view[i:]),
    "unstack": lambda eqn, view, shape: tuple(a for i, a in enumerate(view) if i != eqn.params["axis"]),
    "gather": _gather,
    **dict.fromkeys(("slice", "dynamic_slice", "pad", "concatenate", "split", "tile"), _resize),
}


def _axis(axes: frozenset[int], size: int) -> Axis:
    return (Part(axes, size),) if size > 1 else ()


def _labels(axis: Axis) -> frozenset[int]:
    return frozenset().union(*(part.axes for part in axis))


def _size(axis: Axis) -> int:
    return math.prod(part.size for part in axis)
