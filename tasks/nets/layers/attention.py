"""Self-attention of many heads (Vaswani et al. 2017, arXiv 1706.03762), and where its channels lie."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
from flax import linen as nn

from tasks.nets.groups import Axis, affine, read, written
from tasks.nets.layers.dropout import dropout

HIDDEN = -1e30
"""Score of a place that must not be seen. Not -inf: where nothing may be seen, that would give NaN."""


class MatMul(nn.Module):
    """a @ b as a module, so that interceptors see the two products inside attention."""

    def __call__(self, a: jax.Array, b: jax.Array) -> jax.Array:
        """Returns a @ b."""
        return a @ b


class Attention(nn.Module):
    """Self-attention, [B, T, D] -> [B, T, D]; heads are contiguous blocks of the projections' outputs.

    `mask`: bool, broadcasts against [B, heads, T, T]; True where a query (third axis) may see a key (last axis).
    """

    heads: int
    head_width: int
    dropout: float = 0.0  # of the attention weights

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array, train: bool = False) -> jax.Array:
        def split(name):  # [B, heads, T, head_width]
            y = nn.Dense(self.heads * self.head_width, name=name)(x)
            return y.reshape(*x.shape[:2], self.heads, self.head_width).swapaxes(1, 2)

        query, key, value = split("query"), split("key"), split("value")
        scores = MatMul(name="scores")(query * self.head_width**-0.5, key.swapaxes(2, 3))
        weights = nn.softmax(jnp.where(mask, scores, HIDDEN))
        mixed = (
            MatMul(name="mix")(dropout(weights, self.dropout, train), value).swapaxes(1, 2).reshape(*x.shape[:2], -1)
        )
        return nn.Dense(x.shape[-1], name="out")(mixed)


def heads_of(attention: str, head_width: int) -> Iterator[Axis]:
    """Yields where the heads of the `Attention` at a path lie."""
    for name in ("query", "key", "value"):
        yield from written(f"{attention}/{name}", inner=head_width)
    yield read(f"{attention}/out", inner=head_width)


def attends(attention: str, norm: str) -> Iterator[Axis]:
    """Yields where the `Attention` at a path, behind the norm at another, reads and writes the residual stream."""
    yield from affine(norm)
    yield from (read(f"{attention}/{name}") for name in ("query", "key", "value"))
    yield from written(f"{attention}/out")
