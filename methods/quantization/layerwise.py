"""Rounding layer by layer after training: what methods share that choose codes by what enters each layer.

Grids are those of `rtn`, made before any weight is rounded. Then the layers are visited in the order in which the net
uses them, each with what the layers before, rounded already, give on the calibration data (calibration/stages.py). What
is only looked up, or cannot be followed, is rounded to nearest. In the end batch norm's running statistics are
estimated again, for the net as it has become.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from methods.base import Method, Problem
from methods.calibration.grams import Gram
from methods.calibration.stages import Layer, visit
from methods.flaxnet import COMPILE_QUICKLY
from methods.paths import KERNELS
from methods.quantization.grids import NO_GRIDS, Grids, bits_of, chosen, min_max
from methods.quantization.rounding import rounding
from methods.transforms.grids import FLOAT_BITS, Quantizer, decode, encode
from methods.transforms.transform import Packed, Transform


class Piece(NamedTuple):
    """Weights of one layer, out[g, m] = Σ_n x[g, n] · w[g, n, m], to be rounded onto a grid with zero point 0."""

    weights: np.ndarray  # float64 [G, n, m]; what is 0 is pruned
    scale: np.ndarray  # float64 [G, n, m]
    low: float  # least code
    high: float
    gram: Gram  # of x, [G, n, n]
    examples: int  # of calibration, in which x was seen


@struct.dataclass
class Coded(Transform):
    """A grid, and the codes that were chosen on it for one weight."""

    codes: jax.Array  # int32, in the shape of the weight
    grid: Quantizer

    def __call__(self, x: jax.Array) -> jax.Array:
        """Returns the numbers that the codes stand for, in the dtype of weight `x`, whatever that is."""
        return decode(self.codes, self.grid.over(x.shape)).astype(x.dtype)

    def pack(self, x: jax.Array) -> Packed:
        """Returns what ships of weight `x`; what is 0 in it is taken to be pruned. Not for use in jit."""
        return self.grid.packed(self.codes, x)


Choose = Callable[[Problem, str, Piece], np.ndarray]
"""(problem, path, piece) -> codes, whole numbers [G, n, m]."""


def layerwise(choose: Choose, selector: str = KERNELS, group: int = 0, beside: bool = False) -> Method:
    """Returns rounding layer by layer. Strength: bits; 32 leaves the net as it is.

    Args:
      choose: chooses the codes.
      selector: pattern of the paths of the weights to round.
      group: how many weights of an output channel share a scale; 0 for all of them.
      beside: whether `choose` is given cross Gram matrices, between what enters now and in the net as it was.
    """

    def grids_of(problem, variables, strength):
        (bits,), coded = strength, {}
        weights = chosen(variables["params"], selector)
        if bits >= FLOAT_BITS:
            return NO_GRIDS
        grids = min_max(problem, variables, weights, bits_of(problem, variables, weights, bits, 0), group)

        def change(path, weight, layers):
            coded[path] = Coded(_codes(choose, problem, path, weight, grids[path], layers), grids[path])
            return _rounded(coded[path], weight)

        visit(problem, variables, weights, change, beside=beside)
        return Grids(coded, {})

    return rounding(grids_of, norms=True)


def _codes(
    choose: Choose, problem: Problem, path: str, weight: jax.Array, grid: Quantizer, layers: Sequence[Layer]
) -> jax.Array:
    """Returns the codes of a weight: those that `choose` chooses, and the nearest ones outside of all layers."""
    codes = np.array(_nearest(weight, grid), np.int32).ravel()
    flat, scale = (
        np.float64(a).ravel() for a in (weight, np.broadcast_to(grid.over(weight.shape).scale, weight.shape))
    )
    for layer in layers:
        places, bounds = layer.places, (float(grid.low), float(grid.high))
        piece = Piece(flat[places], scale[places], *bounds, layer.gram, layer.examples)
        codes[places] = choose(problem, path, piece)
    return jnp.asarray(codes.reshape(weight.shape))


@partial(jax.jit, compiler_options=COMPILE_QUICKLY)
def _nearest(weight: jax.Array, grid: Quantizer) -> jax.Array:
    return encode(weight, grid.over(weight.shape))


_rounded = jax.jit(Coded.__call__, compiler_options=COMPILE_QUICKLY)
