"""A decoder-only transformer with learned positions and pre-normalization (Radford et al. 2019, GPT-2).

Unlike nanoGPT's, the head has a kernel of its own, not the embedding's, and dense layers and norms have biases.
"""

import jax
import jax.numpy as jnp
from flax import linen as nn

from tasks.nets.transformer import Transformer, stream


class GPT(Transformer):
    """Tokens [B, T] int32 to logits [B, T, vocabulary], where T is at most `context`; position t sees tokens 0..t."""

    dropout: float = 0.0

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        past = jnp.tril(jnp.ones((x.shape[1], x.shape[1]), bool))
        return nn.Dense(self.vocabulary, name="head")(stream(self, x, past, train))


def gpt(vocabulary: int, context: int, layers: int, width: int, heads: int, dropout: float = 0.0) -> GPT:
    """Returns a net whose blocks are alike, with 4 · width neurons.

    Args:
        vocabulary: number of different tokens.
        context: positions, the most tokens of an input.
        layers: number of blocks.
        width: of the residual stream; a multiple of `heads`.
        heads: of attention, in each block.
        dropout: share that training zeroes.
    """
    return GPT(vocabulary, context, width, width // heads, (heads,) * layers, (4 * width,) * layers, dropout)
