"""Memory that a net takes: counted, the same everywhere, and as the compiler of this machine lays it out."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import jax
from flax import linen as nn
from flax import struct

from benchmarks.measure.forward import run
from benchmarks.measure.liveness import Constant, Program
from methods.base import PyTree, Shipped
from methods.transforms.transform import Transform, decoded, is_packed
from methods.uses.notes import noted


def memory(shipped: Shipped, batch: PyTree) -> int:
    """Returns the bytes that what ships takes on `batch`, array [B, ...] or a tree of them.

    They are its weights at the bits at which they ship, zeros like any other, and the largest set of live activations,
    those that are rounded at the bits that they are rounded to, all others at those of their dtype; see `liveness`.
    """
    return weights(shipped.variables) + activations(shipped, batch)


def weights(variables: PyTree) -> int:
    """Returns the bytes of all variables as they ship: codes at their bits, scales, zero points, floats."""
    return sum(leaf.nbytes for leaf in jax.tree.leaves(variables, is_leaf=is_packed))


@struct.dataclass
class _Stored(Transform):
    """In place of transforms that set the bits of what they return: only says how many."""

    width: int = struct.field(pytree_node=False)

    def __call__(self, x: jax.Array) -> jax.Array:
        return noted(x, self.width)


def activations(shipped: Shipped, batch: PyTree) -> int:
    """Returns the bytes of the largest set of live activations on `batch`, its inputs and outputs included."""
    inputs = {key: _told(transforms) for key, transforms in shipped.inputs.items()}
    leaves, structure = jax.tree.flatten((jax.eval_shape(decoded, shipped.variables), inputs, batch))
    specs = tuple(jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for leaf in leaves)
    return _activations(shipped.net, structure, specs)


def _told(transforms: Sequence[Transform]) -> tuple[Transform, ...]:
    """Returns what moves numbers as it is, then what says the bits of the result, if they are set."""
    widths = [one.bits for one in transforms if one.bits is not None]
    return (*(one for one in transforms if one.bits is None), *map(_Stored, widths[-1:]))


@lru_cache(maxsize=64)
def _activations(net: nn.Module, structure: Any, specs: tuple) -> int:
    variables, inputs, batch = jax.tree.unflatten(structure, specs)
    jaxpr = jax.make_jaxpr(run, static_argnums=0)(net, variables, inputs, batch)
    constants = [Constant() for _ in jax.tree.leaves((variables, inputs))]
    program = Program()
    given = program.do("input", (), jaxpr.jaxpr.invars[len(constants) :])
    return program.peak(program.run(jaxpr, [*constants, *given]))


def compiled_memory(compiled: Any) -> int:
    """Returns the peak bytes of a compiled program: arguments + outputs + temporaries - what aliases.

    The temporaries are those of XLA's buffer assignment, after reuse, as far as XLA shows them: those of a library that
    it calls are not among them. XLA's own peak field is not used: it means different things on different backends.
    """
    stats = compiled.memory_analysis()
    held = stats.argument_size_in_bytes + stats.output_size_in_bytes + stats.temp_size_in_bytes
    return int(held - stats.alias_size_in_bytes)
