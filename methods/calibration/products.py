"""Products of an activation with a weight, seen as matrix products: out[g, r, m] = Σ_n x[g, r, n] · w[g, n, m].

G groups that share nothing (batch axes of a dot_general, groups of a convolution), R rows (examples, places), n inputs
and m outputs of a group. A depthwise convolution has a group for each channel, an ordinary one has a single group.
"""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

Axes = tuple[int, ...]


class Dot(NamedTuple):
    """A dot_general: which axes of the activation and of the weight are groups, and which are summed over."""

    x_groups: Axes
    x_inputs: Axes
    w_groups: Axes
    w_inputs: Axes

    def rows(self, x: jax.Array) -> jax.Array:
        """Returns what is multiplied, [G, R, n], of the activation."""
        rest = _rest(x, self.x_groups + self.x_inputs)
        return _grouped(x, self.x_groups, rest, self.x_inputs)

    def matrix(self, w: Any) -> Any:
        """Returns the weight, an array of JAX's or NumPy's, as [G, n, m]."""
        rest = _rest(w, self.w_groups + self.w_inputs)
        return _grouped(w, self.w_groups, self.w_inputs, rest)


class Convolution(NamedTuple):
    """A conv_general_dilated whose kernel is the weight."""

    layout: Any  # where batch, channels and space lie
    kernel: Axes  # its extent in space
    strides: Axes
    padding: tuple[tuple[int, int], ...]
    spread: Axes  # lhs_dilation
    dilation: Axes
    groups: int

    def rows(self, x: jax.Array) -> jax.Array:
        """Returns the patch of the activation under each place of the kernel, [G, R, n]; inputs: channel, place."""
        x = x.transpose(self.layout.lhs_spec)  # batch, channels, space
        edges = [(low, high, spread - 1) for (low, high), spread in zip(self.padding, self.spread, strict=True)]
        x = jax.lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), (0, 0, 0), *edges])
        patches = jnp.stack([self._shifted(x, place) for place in np.ndindex(*self.kernel)], 2)
        batch, space = len(x), math.prod(patches.shape[3:])
        patches = patches.reshape(batch, self.groups, -1, space)
        return patches.transpose(1, 0, 3, 2).reshape(self.groups, batch * space, -1)

    def _shifted(self, x: jax.Array, place: Axes) -> jax.Array:
        """Returns what one place of the kernel sees."""
        reach = [(size - 1) * d for size, d in zip(self.kernel, self.dilation, strict=True)]
        start = [i * d for i, d in zip(place, self.dilation, strict=True)]
        end = [n - r + s for n, r, s in zip(x.shape[2:], reach, start, strict=True)]
        return jax.lax.slice(x, (0, 0, *start), (*x.shape[:2], *end), (1, 1, *self.strides))

    def matrix(self, w: Any) -> Any:
        """Returns the kernel, an array of JAX's or NumPy's, as [G, n, m]; inputs: channel, place."""
        w = w.transpose(self.layout.rhs_spec)  # outputs, channels, space
        return w.reshape(self.groups, w.shape[0] // self.groups, -1).swapaxes(1, 2)


Product = Dot | Convolution


def product_of(eqn: Any, weight: int) -> Product | None:
    """Returns how an equation multiplies, or None if it is no such product.

    Args:
      eqn: of a jaxpr.
      weight: which of its operands is the weight.
    """
    p = eqn.params
    if eqn.primitive.name == "dot_general":
        inputs, groups = p["dimension_numbers"]
        return Dot(*(tuple(axes[i]) for i in (1 - weight, weight) for axes in (groups, inputs)))
    if eqn.primitive.name == "conv_general_dilated" and weight == 1 and p["batch_group_count"] == 1:
        layout, shape = p["dimension_numbers"], eqn.invars[1].aval.shape
        kernel = tuple(shape[i] for i in layout.rhs_spec[2:])
        shifts = p["window_strides"], tuple(map(tuple, p["padding"])), p["lhs_dilation"], p["rhs_dilation"]
        return Convolution(layout, kernel, *shifts, p["feature_group_count"])
    return None


def _rest(a: Any, axes: Axes) -> Axes:
    return tuple(i for i in range(a.ndim) if i not in axes)


def _grouped(a: Any, *axes: Axes) -> Any:
    """Returns the array with one axis for each of the given sets of axes."""
    sizes = [math.prod(a.shape[i] for i in some) for some in axes]
    return a.transpose(sum(axes, ())).reshape(sizes)
