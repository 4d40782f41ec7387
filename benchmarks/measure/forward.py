"""What ships as one compiled program: what scores, times and weighs it.

Weights and the transforms of module inputs are arguments of the program, not constants in it: the artifacts of a curve
that share a net, shapes and transformed modules share one program, and only the first of them compiles.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from flax import linen as nn

from benchmarks.measure.programs import PROGRAMS
from methods.base import PyTree, Shipped
from methods.flaxnet import forward, transform_inputs
from methods.transforms.transform import Transform, decoded


class Forward(NamedTuple):
    """What ships, compiled to run on batches of one shape."""

    run: Callable[[PyTree], Any]  # batch -> outputs
    compiled: Any  # the program beneath, (variables, transforms of inputs, batch) -> outputs
    seconds: float  # that it took to compile, when it was first needed


def compile_forward(shipped: Shipped, batch: PyTree) -> Forward:
    """Compiles `shipped`, its weights decoded, for batches like `batch`, array [B, ...] or a tree.

    What has the same net, kinds of transforms and shapes as another shares its program.
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
    compiled = jax.jit(run, static_argnums=0).lower(net, *arguments).compile()
    return compiled, time.perf_counter() - start


def run(net: nn.Module, variables: PyTree, inputs: Mapping[str, tuple[Transform, ...]], batch: PyTree) -> PyTree:
    """Returns the outputs of what ships. In-graph.

    Args:
      net: what runs.
      variables: of the net, decoded.
      inputs: what module inputs go through, see `Shipped.inputs`.
      batch: the net's input, array [B, ...] or a tree of them.
    """
    return forward(net, variables, batch, tap=transform_inputs(inputs))[0]
