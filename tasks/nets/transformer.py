"""The parts that GPT and Encoder share: a pre-normalized block, the residual stream, and their groups of channels."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from tasks.nets.groups import Axis, Group, affine, read, sizes_after, written
from tasks.nets.layers.attention import Attention, attends, heads_of
from tasks.nets.layers.dropout import dropout


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)); [B, T, D] -> [B, T, D]."""

    heads: int
    head_width: int
    mlp: int
    dropout: float = 0.0  # of the attention weights and of what is added to x

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array, train: bool = False) -> jax.Array:
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
        """Returns the groups "width" and, per block i, "block<i>/heads" and "block<i>/mlp"."""
        groups = {"width": Group(self.width, tuple(_stream(len(self.heads))))}
        for i, (heads, mlp) in enumerate(zip(self.heads, self.mlp, strict=True)):
            groups[f"block{i}/heads"] = Group(heads, tuple(heads_of(f"block{i}/attention", self.head_width)))
            groups[f"block{i}/mlp"] = Group(mlp, (*written(f"block{i}/up"), read(f"block{i}/down")))
        return groups

    def resize(self, sizes: dict[str, int]) -> "Transformer":
        """Returns the same net with the named groups at other sizes. Raises ValueError for an unknown name."""
        new = sizes_after(self.groups(), sizes)
        heads, mlp = (tuple(new[f"block{i}/{part}"] for i in range(len(self.heads))) for part in ("heads", "mlp"))
        return self.clone(width=new["width"], heads=heads, mlp=mlp)


def stream(net: Any, x: jax.Array, mask: jax.Array, train: bool) -> jax.Array:
    """Returns the normalized residual stream of tokens and learned positions, [B, T, width] float32.

    To be called inside `net.__call__`.

    Args:
        net: a Transformer with a field `dropout`.
        x: [B, T] int32 tokens.
        mask: bool, as `Attention` takes it.
        train: whether dropout is on.

    Raises:
        ValueError: there are more tokens than positions.
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
