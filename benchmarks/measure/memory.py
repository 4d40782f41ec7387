"""Memory that a net takes: counted, the same everywhere, and as the compiler of this machine lays it out."""

import math
from functools import lru_cache
from typing import Any

import jax
from flax import linen as nn

from benchmarks.artifact.bits import width
from benchmarks.measure.liveness import Constant, Program
from methods.base import PyTree, Shipped
from methods.flaxnet import forward, quantize_inputs
from methods.transforms.grids import Quantizer, decoded, is_quantized


def memory(shipped: Shipped, batch: PyTree) -> int:
    """Returns the bytes that what ships takes on `batch`, array [B, ...] or a tree of them.

    They are its weights at the bits at which they ship, zeros like any other, and the largest set of live activations,
    those that are rounded onto a grid at the bits of that grid, all others at those of their dtype; see `liveness`.
    """
    return weights(shipped.variables) + activations(shipped, batch)


def weights(variables: PyTree) -> int:
    """Returns the bytes of all variables as they ship: codes at their bits, scales, zero points, floats."""
    leaves = jax.tree.leaves(variables, is_leaf=is_quantized)
    return sum(
        math.ceil(leaf.codes.size * leaf.bits / 8) + leaf.scale.nbytes + leaf.zero_point.nbytes
        if is_quantized(leaf)
        else leaf.nbytes
        for leaf in leaves
    )


def activations(shipped: Shipped, batch: PyTree) -> int:
    """Returns the bytes of the largest set of live activations on `batch`, its inputs and outputs included."""
    grids = tuple((path, width(int(grid.high) - int(grid.low) + 1)) for path, grid in shipped.inputs.items())
    leaves, structure = jax.tree.flatten((jax.eval_shape(decoded, shipped.variables), dict(shipped.inputs), batch))
    specs = tuple(jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for leaf in leaves)
    return _activations(shipped.net, structure, specs, grids)


@lru_cache(maxsize=64)
def _activations(net: nn.Module, structure: Any, specs: tuple, grids: tuple[tuple[str, int], ...]) -> int:
    variables, inputs, batch = jax.tree.unflatten(structure, specs)
    jaxpr = jax.make_jaxpr(lambda *args: _forward(net, *args))(variables, inputs, batch)
    bits = dict(grids)
    program = Program()
    constants = [Constant() for _ in jax.tree.leaves(variables)]
    constants += [Constant(bits[path]) for path in sorted(inputs) for _ in jax.tree.leaves(inputs[path])]
    given = program.do("input", (), jaxpr.jaxpr.invars[len(constants) :])
    return program.peak(program.run(jaxpr, [*constants, *given]))


def _forward(net: nn.Module, variables: PyTree, inputs: dict[str, Quantizer], batch: PyTree) -> PyTree:
    return forward(net, variables, batch, tap=quantize_inputs(inputs) if inputs else None)[0]


def compiled_memory(compiled: Any) -> int:
    """Returns the peak bytes of a compiled program: arguments + outputs + temporaries - what aliases.

    The temporaries are those of XLA's buffer assignment, after reuse, as far as XLA shows them: those of a library that
    it calls are not among them. XLA's own peak field is not used: it means different things on different backends.
    """
    stats = compiled.memory_analysis()
    held = stats.argument_size_in_bytes + stats.output_size_in_bytes + stats.temp_size_in_bytes
    return int(held - stats.alias_size_in_bytes)
