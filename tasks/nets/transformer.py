"""The parts that the transformers share: attention, a pre-normalized block, and their groups of channels."""

import jax
import jax.numpy as jnp
from flax import linen as nn

from tasks.nets.groups import Axis, Group, affine, read, sizes_after, written

HIDDEN = -1e30
"""Score of a place that must not be seen. Not -inf: where nothing may be seen, that would give NaN."""


class Dropout(nn.Module):
    """`x` with a share `rate` of it zeroed and the rest scaled up; the rate is rounded to a multiple of 1/256.

    A random byte per scalar instead of nn.Dropout's word: on a CPU to draw them is a third of a small net's step.
    """

    rate: float

    @nn.compact
    def __call__(self, x):
        draws = jax.random.bits(self.make_rng("dropout"), x.shape, "uint8")
        zeroed = round(256 * self.rate)
        return jnp.where(draws >= zeroed, x * (256 / (256 - zeroed)), 0)


def dropout(x, rate: float, train: bool):
    """Inside a module: `Dropout` in training. Else no module at all, for taps to see."""
    return Dropout(rate)(x) if train and rate else x


class MatMul(nn.Module):
    """a @ b as a module, so that interceptors see the two products inside attention."""

    def __call__(self, a, b):
        return a @ b


class Attention(nn.Module):
    """Self-attention, [B, T, D] -> [B, T, D]; heads are contiguous blocks of the projections' outputs.

    `mask`: bool, broadcasts against [B, heads, T, T]; True where a query (third axis) may see a key (last axis).
    """

    heads: int
    head_width: int
    dropout: float = 0.0  # of the attention weights

    @nn.compact
    def __call__(self, x, mask, train: bool = False):
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


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)); [B, T, D] -> [B, T, D]."""

    heads: int
    head_width: int
    mlp: int
    dropout: float = 0.0  # of the attention weights and of what is added to x

    @nn.compact
    def __call__(self, x, mask, train: bool = False):
        attention = Attention(self.heads, self.head_width, self.dropout, name="attention")
        x = x + dropout(attention(nn.LayerNorm(name="norm1")(x), mask, train), self.dropout, train)
        hidden = nn.gelu(nn.Dense(self.mlp, name="up")(nn.LayerNorm(name="norm2")(x)))
        return x + dropout(nn.Dense(x.shape[-1], name="down")(hidden), self.dropout, train)


class Transformer(nn.Module):
    """The fields and groups of GPT and Encoder, whose `__call__` is `stream` and a dense layer named "head"."""

    vocabulary: int
    context: int
    width: int  # of the residual stream
    head_width: int
    heads: tuple[int, ...]  # one number per block
    mlp: tuple[int, ...]  # neurons, one number per block

    def groups(self) -> dict[str, Group]:
        groups = {"width": Group(self.width, tuple(_stream(len(self.heads))))}
        for i, (heads, mlp) in enumerate(zip(self.heads, self.mlp, strict=True)):
            groups[f"block{i}/heads"] = Group(heads, tuple(heads_of(f"block{i}/attention", self.head_width)))
            groups[f"block{i}/mlp"] = Group(mlp, (*written(f"block{i}/up"), read(f"block{i}/down")))
        return groups

    def resize(self, sizes: dict[str, int]) -> "Transformer":
        new = sizes_after(self.groups(), sizes)
        heads, mlp = (tuple(new[f"block{i}/{part}"] for i in range(len(self.heads))) for part in ("heads", "mlp"))
        return self.clone(width=new["width"], heads=heads, mlp=mlp)


def stream(net, x, mask, train: bool):
    """Inside `net.__call__`: tokens [B, T] to the normalized residual stream [B, T, width], learned positions added.

    Raises ValueError if there are more tokens than positions.
    """
    if x.shape[1] > net.context:
        name = type(net).__name__
        raise ValueError(f"x has {x.shape[1]} tokens; this {name} has positions for at most {net.context}")
    positions = jnp.arange(x.shape[1], dtype=jnp.int32)
    embed = nn.Embed(net.vocabulary, net.width, name="token")(x)
    x = dropout(embed + nn.Embed(net.context, net.width, name="position")(positions), net.dropout, train)
    for i, (heads, mlp) in enumerate(zip(net.heads, net.mlp, strict=True)):
        x = Block(heads, net.head_width, mlp, net.dropout, name=f"block{i}")(x, mask, train)
    return nn.LayerNorm(name="norm")(x)


def heads_of(attention: str, head_width: int):
    """Where the heads of an `Attention` lie."""
    for name in ("query", "key", "value"):
        yield from written(f"{attention}/{name}", inner=head_width)
    yield read(f"{attention}/out", inner=head_width)


def attends(attention: str, norm: str):
    """Where an `Attention` behind a norm reads and writes the residual stream."""
    yield from affine(norm)
    yield from (read(f"{attention}/{name}") for name in ("query", "key", "value"))
    yield from written(f"{attention}/out")


def _stream(blocks):
    """Every place where the residual stream is written, normalized or read."""
    yield Axis("token/embedding", 1, produces=True)
    yield Axis("position/embedding", 1, produces=True)
    for i in range(blocks):
        yield from attends(f"block{i}/attention", f"block{i}/norm1")
        yield from affine(f"block{i}/norm2")
        yield read(f"block{i}/up")
        yield from written(f"block{i}/down")
    yield from affine("norm")
    yield read("head")
