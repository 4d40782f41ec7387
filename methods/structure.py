"""Groups of channels: what each is worth, which are kept, and the net that has only those."""

import warnings

import jax
import numpy as np

from methods.base import Fallback, Knob
from methods.paths import flatten, replace

KEPT = Knob("kept fraction", 0, 1)
WIDTHS = ((0.75,), (0.625,), (0.5,), (0.375,), (0.25,), (0.125,))


def kept_size(size: int, fraction) -> int:
    """Channels kept of `size`: the nearest integer to fraction · size; where that is 0, one, with a Fallback."""
    kept = round(float(fraction) * size)
    if kept == 0:
        warnings.warn(Fallback(f"1 channel of {size} is kept, where {float(fraction):g} of them is none"), stacklevel=2)
    return max(1, kept)


def saliency(group, leaves) -> np.ndarray:
    """L1 norm [size] of each channel of `group`, over all the weights that produce it. `leaves`: {path: array}."""
    total = np.zeros(group.size, np.float64)
    for place in group.axes:
        if place.produces:
            weight = np.moveaxis(np.abs(np.asarray(leaves[place.path], np.float64)), place.axis, 0)
            total += weight.reshape(place.outer, group.size, -1).sum(axis=(0, 2))
    return total


def positions(kept: np.ndarray, group, place) -> np.ndarray:
    """Indices along `place.axis` where the channels `kept` lie; see `Axis` for the layout."""
    index = np.arange(place.outer * group.size * place.inner).reshape(place.outer, group.size, place.inner)
    return index[:, kept].ravel()


def shrink(net, variables, fraction):
    """(net, variables) with only the most salient `fraction` of each of `net.groups()`."""
    flat = {name: {path: np.asarray(leaf) for path, leaf in flatten(c).items()} for name, c in variables.items()}
    sizes, groups, scores = {}, net.groups(), {}
    for name, group in groups.items():
        scores[name] = saliency(group, flat["params"])
    for name, group in groups.items():
        sizes[name] = kept_size(group.size, fraction)
        kept = np.sort(np.argsort(-scores[name], kind="stable")[: sizes[name]])
        for place in group.axes:
            leaves = flat[place.collection]
            leaves[place.path] = np.take(leaves[place.path], positions(kept, group, place), place.axis)
    arrays = {name: replace(variables[name], jax.device_put(leaves)) for name, leaves in flat.items()}
    return net.resize(sizes), arrays
