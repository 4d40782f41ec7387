"""Gram matrices: all that the squared error of a layer's output knows of what enters the layer.

    Σ ‖w x − w₀ x₀‖² = tr(w H wᵀ) − 2 tr(w C w₀ᵀ) + const,     H = Σ x xᵀ,  C = Σ x x₀ᵀ

summed over all rows x that enter. Products are taken in float32, and summed over batches and calls in float64.
"""

import math
from collections.abc import Iterator, Sequence
from functools import partial, reduce
from operator import itemgetter
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from methods.calibration.products import Convolution, Product
from methods.calibration.ranges import counted
from methods.flaxnet import COMPILE_QUICKLY

PATCHES = 2**24
"""Numbers in the patches of a convolution that are made at a time."""


class Entered(NamedTuple):
    """What entered a product in one call."""

    x: jax.Array
    before: jax.Array | None  # in the net as it was, x₀; None where that is not run: then it is x
    weight: jax.Array | None  # of each place of the batch, [B, ...]: it counts where it is above 0


class Gram(NamedTuple):
    """Means over rows; float64 [G, n, n]."""

    own: np.ndarray  # of x xᵀ
    cross: np.ndarray  # of x x₀ᵀ


def gram(product: Product, calls: Sequence[Entered]) -> Gram:
    """Returns the Gram matrices of what entered a product, over all its calls.

    Args:
      product: how the weight multiplies.
      calls: one at least. Weights of places count where they are the leading axes of `x`, and `x` has more.
    """
    pieces = (piece for call in calls for piece in _pieces(product, call))
    sums = (jax.tree.map(np.float64, jax.device_get(_sums(product, *piece))) for piece in pieces)
    own, cross, rows = reduce(partial(jax.tree.map, np.add), sums)
    return Gram(own / max(rows, 1.0), cross / max(rows, 1.0))


def _pieces(product: Product, call: Entered) -> Iterator[Entered]:
    """Yields a call, that of a convolution in pieces: its patches take several times the memory of what enters."""
    if not isinstance(product, Convolution) or product.layout.lhs_spec[0] != 0:
        yield call
        return
    size = max(1, PATCHES * len(call.x) // (call.x.size * math.prod(product.kernel)))
    for first in range(0, len(call.x), size):
        yield jax.tree.map(itemgetter(slice(first, first + size)), call)


@partial(jax.jit, static_argnums=0, compiler_options=COMPILE_QUICKLY)
def _sums(product: Product, x: jax.Array, before: jax.Array | None, weight: jax.Array | None) -> tuple[jax.Array, ...]:
    """Returns Σ x xᵀ, Σ x x₀ᵀ and the number of rows."""
    counts = counted(x, weight)
    rows = product.rows(jnp.where(counts, x, 0))
    own = _outer(rows, rows)
    cross = own if before is None else _outer(rows, product.rows(jnp.where(counts, before, 0)))
    return own, cross, rows.shape[1] * jnp.mean(counts)


def _outer(a: jax.Array, b: jax.Array) -> jax.Array:
    a, b = (rows.astype(jnp.float32) for rows in (a, b))
    return jnp.einsum("grn,grk->gnk", a, b, precision=jax.lax.Precision.HIGHEST)
