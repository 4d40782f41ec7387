"""What all transforms have in common, and all forms in which a weight ships.

A transform changes a weight or a module's input, in-graph: a grid rounds it, a division scales it, a rotation mixes it.
Where it rounds a weight, that weight ships packed: as codes and whatever turns them back into numbers.

Both are `flax.struct.dataclass`es with a row in `methods/transforms/__init__.py`. Their arrays are data, so one
compiled program serves all values of these; their static fields are facts: numbers, texts and tuples of them.
Artifacts, counts and memory need no more than that.
"""

import dataclasses
import math
from typing import Any, TypeGuard

import jax
import jax.numpy as jnp
from flax import struct


class Transform:
    """A change of an array."""

    def __call__(self, x: jax.Array) -> jax.Array:
        """Returns `x` changed, in its shape and dtype. In-graph; gradients go straight through where it rounds."""
        raise NotImplementedError

    def passes(self) -> jax.Array:
        """Returns whether `x` comes back bit for bit: bool [], traced or not."""
        return jnp.asarray(False)

    @property
    def bits(self) -> int | None:
        """Of an element that was changed; None: as many as before. Not for use in jit."""
        return None

    def pack(self, x: jax.Array) -> "jax.Array | Packed":
        """Returns what ships of a weight `x`: packed where it rounds; unpacked, that is `self(x)`. Not for use in jit.

        Weights that are 0 already are taken to be pruned; those that only become 0 are not.
        """
        return self(x)


@struct.dataclass
class Codes:
    """Unsigned integers that are stored at a width."""

    values: jax.Array  # uint8, uint16 or uint32, below 2**bits
    bits: int = struct.field(pytree_node=False)  # 1 to 32

    @property
    def nbytes(self) -> int:
        """Bytes of the packed codes."""
        return math.ceil(math.prod(self.values.shape) * self.bits / 8)


def coded(values: jax.Array, bits: int) -> Codes:
    """Returns `values`, unsigned integers below 2**bits, as codes of the narrowest dtype."""
    return Codes(values.astype(next(f"uint{width}" for width in (8, 16, 32) if bits <= width)), bits)


class Packed:
    """A weight as it ships. Its fields are arrays, `Codes`, other packed arrays, or None; and static ones."""

    bits: int  # of the code of a weight
    dtype: str  # of the weight
    pruned: jax.Array | None  # int32 []: how many weights were 0 before they were rounded; None: unknown

    def unpack(self) -> jax.Array:
        """Returns the weight, in its shape and dtype; bit for bit as the transform made it."""
        raise NotImplementedError

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the weight."""
        return jax.eval_shape(lambda packed: packed.unpack(), self).shape

    @property
    def nbytes(self) -> int:
        """Bytes of all parts, each at its width."""
        return sum(part.nbytes for name, part in parts(self).items() if part is not None and name != "pruned")


def parts(one: Any) -> dict[str, Any]:
    """Returns the fields of a transform or a packed weight that are data, by name and in order."""
    return {field.name: getattr(one, field.name) for field in fields(type(one), True)}


def facts(one: Any) -> dict[str, Any]:
    """Returns the static fields of a transform or a packed weight, by name and in order."""
    return {field.name: getattr(one, field.name) for field in fields(type(one), False)}


def fields(kind: type, data: bool) -> list[dataclasses.Field]:
    """Returns the fields of a transform's or a packed weight's class that are data, or those that are static."""
    return [field for field in dataclasses.fields(kind) if field.metadata.get("pytree_node", True) == data]


def is_packed(leaf: Any) -> TypeGuard[Packed]:
    """Returns whether a leaf is a packed weight."""
    return isinstance(leaf, Packed)


def unpack(leaf: Any) -> Any:
    """Returns the weight of a packed leaf; any other leaf unchanged."""
    return leaf.unpack() if is_packed(leaf) else leaf


def decoded(tree: Any) -> Any:
    """Returns `tree`, a `Shipped` say, with every packed leaf decoded to numbers."""
    return jax.tree.map(unpack, tree, is_leaf=is_packed)


def zeros(x: jax.Array) -> jax.Array:
    """Returns how many elements are 0, int32 []."""
    return jnp.sum(x == 0, dtype=jnp.int32)


@jax.custom_vjp
def straight_through(x: jax.Array, rounded: jax.Array, inside: jax.Array) -> jax.Array:
    """Returns `rounded`; its gradient goes to `x`, an array like it, where `inside`, bool, is true.

    The straight-through estimator (Bengio et al. 2013, arXiv 1308.3432).

    Args:
      x: what was rounded.
      rounded: what became of it.
      inside: where nothing was clipped; broadcasts against x.
    """
    return rounded


straight_through.defvjp(
    lambda x, rounded, inside: (rounded, inside), lambda inside, dy: (jnp.where(inside, dy, 0), None, None)
)
