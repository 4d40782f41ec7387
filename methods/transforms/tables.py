"""Tables of levels: a number becomes the nearest level times its scale, and ships as the level's place in the table.

    x̂ = level[argmin_i |x / scale - level_i|] · scale

Codebooks of k-means (Han et al. 2016, arXiv 1510.00149, §3), NF4 (Dettmers et al. 2023, arXiv 2305.14314), ternary and
power-of-two levels are such tables. Between two levels, the lower one is taken.
"""

import jax
import jax.numpy as jnp
from flax import struct

from methods.arrays.blocks import Blocks, spread
from methods.transforms.transform import Codes, Packed, Transform, coded, straight_through, unpack, zeros


@struct.dataclass
class Table(Transform):
    """One table for an array."""

    levels: jax.Array  # float32 [K], ascending
    scale: jax.Array  # float32, broadcasts against x; with blocks [blocks, *others], see `arrays/blocks.py`
    blocks: Blocks | None = struct.field(pytree_node=False, default=None)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Returns `x` rounded to the nearest levels; its gradient goes straight through everywhere."""
        rounded = self.levels[self._places(x)] * spread(self.scale, self.blocks, x.shape)
        return straight_through(x, rounded.astype(x.dtype), jnp.asarray(True))

    @property
    def bits(self) -> int:
        """Of a place in the table."""
        return max(1, (len(self.levels) - 1).bit_length())

    def pack(self, x: jax.Array) -> Packed:
        """Returns what ships of a weight."""
        codes = coded(self._places(x).astype(jnp.uint32), self.bits)
        return PackedTable(codes, self.levels, self.scale, zeros(x), self.blocks, str(x.dtype))

    def _places(self, x: jax.Array) -> jax.Array:
        ratio = x.astype(jnp.float32) * spread(1 / self.scale, self.blocks, x.shape)
        return jnp.searchsorted((self.levels[1:] + self.levels[:-1]) / 2, ratio)


@struct.dataclass
class PackedTable(Packed):
    """A weight of levels."""

    codes: Codes  # places in the table, shape of the weight
    levels: jax.Array  # float32 [K]
    scale: jax.Array | Packed  # float32, broadcasts, or [blocks, *others]; may be packed itself
    pruned: jax.Array | None
    blocks: Blocks | None = struct.field(pytree_node=False)
    dtype: str = struct.field(pytree_node=False)

    @property
    def bits(self) -> int:
        """Of a code."""
        return self.codes.bits

    def unpack(self) -> jax.Array:
        """Returns the weight, level · scale."""
        scale = spread(unpack(self.scale), self.blocks, self.codes.values.shape)
        return (self.levels[self.codes.values] * scale).astype(self.dtype)
