"""N:M weights as they ship: the N kept of each group, and their places in it, of 2 bits (2:4) or 3 bits (4:8).

Mishra et al. 2021 (arXiv 2104.08378, §3): the layout that sparse matrix units read. Groups: see `arrays/patterns.py`.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import struct

from methods.arrays.patterns import Pattern, cut, joined, largest_of
from methods.transforms.transform import Codes, Packed, coded, zeros


@struct.dataclass
class Patterned(Packed):
    """A weight of which N of every M entries are kept."""

    values: jax.Array  # [groups, N, O], in the dtype of the weight
    places: Codes  # [groups, N, O], of each value in its group, ascending
    rest: jax.Array | None  # [left over, O], in the dtype of the weight; None if nothing is
    pruned: jax.Array | None
    of: int = struct.field(pytree_node=False)  # M
    axes: tuple[int, ...] = struct.field(pytree_node=False)  # along which the pattern runs
    lengths: tuple[int, ...] = struct.field(pytree_node=False)  # of all axes of the weight
    dtype: str = struct.field(pytree_node=False)

    @property
    def bits(self) -> int:
        """Of a value."""
        return 8 * jnp.dtype(self.dtype).itemsize

    def unpack(self) -> jax.Array:
        """Returns the weight, with zeros where it is masked."""
        count, _, outputs = self.values.shape
        groups = jnp.zeros((count, self.of, outputs), self.dtype)
        groups = jnp.put_along_axis(groups, self.places.values.astype(jnp.int32), self.values, axis=1, inplace=False)
        rest = jnp.zeros((0, outputs), self.dtype) if self.rest is None else self.rest
        return joined(groups, rest, self.axes, self.lengths)


def pack_pattern(x: jax.Array, axes: Sequence[int], pattern: Pattern) -> jax.Array | Patterned:
    """Returns what ships of a masked weight: `x` itself where it has no whole group. Not for use in jit.

    Args:
      x: a weight with zeros where it is masked.
      axes: along which the pattern runs.
      pattern: N:M.

    Raises:
      ValueError: a group has more than N numbers that are not 0.
    """
    groups, rest = cut(x, axes, pattern.of)
    if not groups.size:
        return x
    there = (groups != 0) | jnp.signbit(groups)  # so that -0.0 stays, too
    if int(jnp.max(jnp.sum(there, axis=1))) > pattern.kept:
        raise ValueError(f"a weight has more than {pattern.kept} of {pattern.of} numbers that are not 0")
    places = jnp.argsort(~largest_of(there.astype(jnp.int8), pattern.kept), axis=1)[:, : pattern.kept]
    values = jnp.take_along_axis(groups, places, axis=1)
    codes = coded(places.astype(jnp.uint32), (pattern.of - 1).bit_length())
    whole = rest if rest.size else None
    return Patterned(values, codes, whole, zeros(x), pattern.of, tuple(axes), x.shape, str(x.dtype))
