"""Grids on weights and on module inputs: the view, the tap and the export that quantization methods share."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax

from methods.arrays.uniform import Quantizer, fake_quant, pack, symmetric
from methods.base import Interceptor, Knob, PyTree, Shipped, State
from methods.flaxnet import COMPILE_QUICKLY, quantize_inputs
from methods.paths import flatten, replace, with_params

BITS = Knob("bits", 2, 32, whole=True)
SWEEP = ((8.0,), (6.0,), (5.0,), (4.0,), (3.0,), (2.0,))


class Grids(NamedTuple):
    """What weights and module inputs are rounded onto."""

    weights: Mapping[str, Quantizer]  # by leaf path
    inputs: Mapping[str, Quantizer]  # by module path


NO_GRIDS = Grids({}, {})
"""Nothing is rounded."""


def module_of(path: str) -> str:
    """Returns "block0/mlp/up" for "block0/mlp/up/kernel"."""
    return path.rpartition("/")[0]


def channel_axis(path: str) -> int:
    """Returns the axis with a scale per entry: output channels of a kernel, rows of an embedding table."""
    return 0 if path.endswith("embedding") else -1


@partial(jax.jit, compiler_options=COMPILE_QUICKLY)
def per_channel(weights: dict[str, jax.Array], bits: jax.Array) -> dict[str, Quantizer]:
    """Returns the min-max grid of each weight, one scale per output channel."""
    return {path: symmetric(w, bits, channel_axis(path)) for path, w in weights.items()}


def view(grids: Grids, params: PyTree) -> PyTree:
    """Returns `params` with each weight rounded onto its grid."""
    leaves = flatten(params)
    return replace(params, {path: fake_quant(leaves[path], grid) for path, grid in grids.weights.items()})


def tap(grids: Grids) -> Interceptor | None:
    """Returns the interceptor that rounds module inputs, or None if none is quantized."""
    return quantize_inputs(grids.inputs) if grids.inputs else None


def export(grids: Grids, shipped: Shipped) -> Shipped:
    """Returns `shipped` with integer codes for the weights and the grids of the inputs that are rounded."""
    params = shipped.variables["params"]
    leaves = flatten(params)
    packed = {path: pack(leaves[path], grid) for path, grid in grids.weights.items()}
    inputs = {path: grid for path, grid in grids.inputs.items() if not bool(grid.passes())}
    variables = with_params(shipped.variables, replace(params, packed))
    return shipped._replace(variables=variables, inputs={**shipped.inputs, **inputs})


def through(current: Callable[[State], Grids]) -> dict[str, Any]:
    """Returns the view, tap and export of a method whose grids are `current(state)`."""
    return {
        "view": lambda state, params: view(current(state), params),
        "tap": lambda state: tap(current(state)),
        "export": lambda state, shipped: export(current(state), shipped),
    }
