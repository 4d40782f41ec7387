"""A decoder-only transformer with learned positions and pre-normalization (Radford et al. 2019, GPT-2)."""

import jax.numpy as jnp
from flax import linen as nn

from tasks.nets.groups import Axis, Group, sizes_after


class MatMul(nn.Module):
    """a @ b as a module, so that interceptors see the two products inside attention."""

    def __call__(self, a, b):
        return a @ b


class Attention(nn.Module):
    """Causal self-attention, [B, T, D] -> [B, T, D]; heads are contiguous blocks of the projections' outputs."""

    heads: int
    head_width: int

    @nn.compact
    def __call__(self, x):
        def split(name):  # [B, heads, T, head_width]
            y = nn.Dense(self.heads * self.head_width, name=name)(x)
            return y.reshape(*x.shape[:2], self.heads, self.head_width).swapaxes(1, 2)

        query, key, value = split("query"), split("key"), split("value")
        scores = MatMul(name="scores")(query * self.head_width**-0.5, key.swapaxes(2, 3))
        past = jnp.tril(jnp.ones(scores.shape[-2:], bool))
        weights = nn.softmax(jnp.where(past, scores, -jnp.inf))
        mixed = MatMul(name="mix")(weights, value).swapaxes(1, 2).reshape(*x.shape[:2], -1)
        return nn.Dense(x.shape[-1], name="out")(mixed)


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)); [B, T, D] -> [B, T, D]."""

    heads: int
    head_width: int
    mlp: int

    @nn.compact
    def __call__(self, x):
        x = x + Attention(self.heads, self.head_width, name="attention")(nn.LayerNorm(name="norm1")(x))
        hidden = nn.gelu(nn.Dense(self.mlp, name="up")(nn.LayerNorm(name="norm2")(x)))
        return x + nn.Dense(x.shape[-1], name="down")(hidden)


class GPT(nn.Module):
    """Tokens [B, T] int32 to logits [B, T, vocabulary], where T is at most `context`; position t sees tokens 0..t."""

    vocabulary: int
    context: int
    width: int  # of the residual stream
    head_width: int
    heads: tuple[int, ...]  # one number per block
    mlp: tuple[int, ...]  # neurons, one number per block

    @nn.compact
    def __call__(self, x, train: bool = False):
        if x.shape[1] > self.context:
            raise ValueError(f"x has {x.shape[1]} tokens; this GPT has positions for at most {self.context}")
        positions = jnp.arange(x.shape[1], dtype=jnp.int32)
        embed = nn.Embed(self.vocabulary, self.width, name="token")(x)
        x = embed + nn.Embed(self.context, self.width, name="position")(positions)
        for i, (heads, mlp) in enumerate(zip(self.heads, self.mlp, strict=True)):
            x = Block(heads, self.head_width, mlp, name=f"block{i}")(x)
        return nn.Dense(self.vocabulary, name="head")(nn.LayerNorm(name="norm")(x))

    def groups(self) -> dict[str, Group]:
        groups = {"width": Group(self.width, tuple(_stream(len(self.heads))))}
        for i, (heads, mlp) in enumerate(zip(self.heads, self.mlp, strict=True)):
            groups[f"block{i}/heads"] = Group(heads, tuple(_heads(f"block{i}/attention", self.head_width)))
            up = Axis(f"block{i}/up/kernel", 1, produces=True), Axis(f"block{i}/up/bias", 0)
            groups[f"block{i}/mlp"] = Group(mlp, (*up, Axis(f"block{i}/down/kernel", 0)))
        return groups

    def resize(self, sizes: dict[str, int]) -> "GPT":
        new = sizes_after(self.groups(), sizes)
        heads, mlp = (tuple(new[f"block{i}/{part}"] for i in range(len(self.heads))) for part in ("heads", "mlp"))
        return self.clone(width=new["width"], heads=heads, mlp=mlp)


def _heads(attention, head_width):
    for name in ("query", "key", "value"):
        yield Axis(f"{attention}/{name}/kernel", 1, produces=True, inner=head_width)
        yield Axis(f"{attention}/{name}/bias", 0, inner=head_width)
    yield Axis(f"{attention}/out/kernel", 0, inner=head_width)


def _stream(blocks):
    """Every place where the residual stream is written, normalized or read."""
    yield Axis("token/embedding", 1, produces=True)
    yield Axis("position/embedding", 1, produces=True)
    for i in range(blocks):
        yield from _norm(f"block{i}/norm1")
        yield from (Axis(f"block{i}/attention/{name}/kernel", 0) for name in ("query", "key", "value"))
        yield from _written(f"block{i}/attention/out")
        yield from _norm(f"block{i}/norm2")
        yield Axis(f"block{i}/up/kernel", 0)
        yield from _written(f"block{i}/down")
    yield from _norm("norm")
    yield Axis("head/kernel", 0)


def _norm(name):
    return Axis(f"{name}/scale", 0), Axis(f"{name}/bias", 0)


def _written(name):
    return Axis(f"{name}/kernel", 1, produces=True), Axis(f"{name}/bias", 0)
