"""A transformer encoder that classifies sentences: BERT's shape (Devlin et al. 2019, arXiv 1810.04805), small.

Deviations: norms come first, as in GPT-2, and the mean over the tokens takes the place of a class token.
"""

import jax
import jax.numpy as jnp
from flax import linen as nn

from tasks.nets.transformer import Transformer, stream

PADDING = 0
"""The token that fills a sentence up: never seen by attention nor counted in the mean."""


class Encoder(Transformer):
    """Tokens [B, T] int32, each sentence followed by PADDING, to logits [B, classes]; T is at most `context`."""

    classes: int
    dropout: float = 0.0

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        real = x != PADDING
        y = stream(self, x, real[:, None, None], train)
        mean = jnp.sum(y * real[..., None], 1) / jnp.maximum(jnp.sum(real, 1, keepdims=True), 1)
        return nn.Dense(self.classes, name="head")(mean)


def encoder(
    vocabulary: int, context: int, layers: int, width: int, heads: int, classes: int, dropout: float = 0.0
) -> Encoder:
    """Returns a net whose blocks are alike, with 4 · width neurons.

    Args:
        vocabulary: number of different tokens.
        context: positions, the most tokens of an input.
        layers: number of blocks.
        width: of the residual stream; a multiple of `heads`.
        heads: of attention, in each block.
        classes: of the output.
        dropout: share that training zeroes.
    """
    blocks = (heads,) * layers, (4 * width,) * layers
    return Encoder(vocabulary, context, width, width // heads, *blocks, classes, dropout)
