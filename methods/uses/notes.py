"""Notes in a jaxpr: an equation that hands its operand on and says something about it to whoever reads the jaxpr."""

from collections.abc import Hashable

import jax
from jax.extend.core import Primitive
from jax.interpreters import ad, batching

NOTE = "note"
"""The name of the primitive; its parameter `note` is what is said."""

_note = Primitive(NOTE)
_note.def_abstract_eval(lambda x, *, note: x)
ad.primitive_jvps[_note] = lambda values, tangents, *, note: (_note.bind(*values, note=note), tangents[0])
batching.primitive_batchers[_note] = lambda args, axes, *, note: (_note.bind(args[0], note=note), axes[0])


def noted(x: jax.Array, note: Hashable) -> jax.Array:
    """Returns `x` with a note. To be traced only: there is nothing that would run it."""
    return _note.bind(x, note=note)
