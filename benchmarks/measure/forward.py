"""What ships as one compiled program: what scores, times and weighs it.

Weights and the grids of module inputs are arguments of the program, not constants in it: the artifacts of a curve
that share a net, shapes and quantized modules share one program, and only the first of them compiles.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from flax import linen as nn

from benchmarks.measure.programs import PROGRAMS
from methods.base import PyTree, Shipped
from methods.flaxnet import forward, quantize_inputs
from methods.transforms.grids import Quantizer, decoded


class Forward(NamedTuple):
    """What ships, compiled to run on batches of one shape."""

    run: Callable[[PyTree], Any]  # batch -> outputs
    compiled: Any  # the program beneath, (variables, input grids, batch) -> outputs
    seconds: float  # that it took to compile, when it was first needed


def compile_forward(shipped: Shipped, batch: PyTree) -> Forward:
    """Compiles `shipped`, its weights decoded, for batches like `batch`, array [B, ...] or a tree.

    What has the same net, quantized inputs and shapes as another shares its program.
    """
    arguments = decoded(shipped.variables), dict(shipped.inputs)
    leaves, structure = jax.tree.flatten((*arguments, batch))
    specs = tuple((np.shape(leaf), np.dtype(leaf.dtype)) for leaf in leaves)
    key = ("forward", shipped.net, structure, specs)
    compiled, seconds = PROGRAMS.get(key, lambda: _compile(shipped.net, structure, specs))
    return Forward(partial(compiled, *arguments), compiled, seconds)


def _compile(net: nn.Module, structure: Any, specs: tuple) -> tuple[Any, float]:
    arguments = jax.tree.unflatten(structure, [jax.ShapeDtypeStruct(*spec) for spec in specs])
    start = time.perf_counter()
    compiled = jax.jit(_forward, static_argnums=0).lower(net, *arguments).compile()
    return compiled, time.perf_counter() - start


def _forward(net: nn.Module, variables: PyTree, inputs: dict[str, Quantizer], batch: PyTree) -> Any:
    return forward(net, variables, batch, tap=quantize_inputs(inputs) if inputs else None)[0]
