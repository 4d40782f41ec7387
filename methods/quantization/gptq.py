"""GPTQ: weights rounded one after another, while the rest makes up for it. Frantar et al. 2022 (arXiv 2210.17323).

    q = round(wᵢ),   e = (wᵢ − q) / Uᵢᵢ,   wⱼ ← wⱼ − e Uᵢⱼ for all inputs j > i,   UᵀU = H⁻¹               (§3.3)

for all outputs of a layer at once, in blocks of 128 inputs. H is the mean of x xᵀ over what enters on calibration data,
with 1 % of its mean diagonal added. Layers are calibrated one after another, on what those before give that are rounded
already (§4). A convolution multiplies patches of its input; a depthwise one has an H for each channel.

Strength: bits of weights, on the grid of `rtn`: symmetric, with a scale for each output channel, where the paper's is
asymmetric (§4). With `group`, so many weights of a channel share a scale, which is that of the weights as they were
before rounding (the authors' "static groups"). Inputs that are 0 on all calibration data have their weights rounded to
nearest, where the authors' code sets them to 0. A weight that an earlier part of a chain has set to 0 stays 0, and
others make up for it. Afterwards batch norm's running statistics are estimated again on the same data, as in `rtn_bn`;
the paper's nets have none.
"""

import warnings
from functools import partial

import numpy as np

from methods.arrays.hessian import eliminations
from methods.base import Entry, Fallback, Method, Problem
from methods.paths import BLOCKS, KERNELS
from methods.quantization.layerwise import Piece, layerwise
from methods.quantization.rtn import RTN

BLOCK = 128
"""Inputs whose errors are passed on to all later ones at once."""


def gptq(selector: str = KERNELS, group: int = 0, act_order: bool = False, damping: float = 0.01) -> Method:
    """Returns GPTQ, after the last step. Strength: bits; 32 leaves the net as it is.

    Args:
      selector: pattern of the paths of the weights to round.
      group: how many weights of an output channel share a scale; 0 for all of them.
      act_order: whether inputs of the largest mean square are rounded first, instead of in the order of the weight.
      damping: what is added to the diagonal of H, as a share of its mean.
    """
    return layerwise(partial(choose, act_order, damping), selector, group)


def choose(act_order: bool, damping: float, problem: Problem, path: str, piece: Piece) -> np.ndarray:
    """Returns the codes of a layer's weights, [G, n, m]; see `layerwise.Choose`.

    Args:
      act_order: whether inputs of the largest mean square are rounded first.
      damping: what is added to the diagonal of H, as a share of its mean.
      problem: is not looked at.
      path: of the weight.
      piece: the weights of a layer, their grid and their Gram matrix.
    """
    energy = np.diagonal(piece.gram.own, axis1=1, axis2=2)
    order = np.argsort(-energy, axis=1, kind="stable") if act_order else np.arange(energy.shape[1])[None]
    rows, back = order[..., None], np.argsort(order, axis=1)[..., None]
    gram = np.take_along_axis(np.take_along_axis(piece.gram.own, rows, 1), order[:, None], 2)
    u, used = eliminations(gram, damping)
    if used > damping:
        warnings.warn(
            Fallback(f"{path}: its Hessian is damped by {used:g} of its mean diagonal instead of {damping:g}"),
            stacklevel=2,
        )
    weights, scale = (np.take_along_axis(a, rows, 1) for a in (piece.weights, piece.scale))
    return np.take_along_axis(rounded(weights, scale, piece.low, piece.high, u), back, 1)


def rounded(weights: np.ndarray, scale: np.ndarray, low: float, high: float, u: np.ndarray) -> np.ndarray:
    """Returns the codes of weights that are rounded in the order of their inputs, float64 [G, n, m].

    Args:
      weights: float64 [G, n, m]; what is 0 keeps code 0.
      scale: of each weight, [G, n, m].
      low: least code.
      high: greatest code.
      u: upper triangular, [G, n, n]; UᵀU is the inverse of the damped Hessian.
    """
    left, kept, codes = weights.copy(), weights != 0, np.zeros_like(weights)
    for first in range(0, weights.shape[1], BLOCK):
        block = slice(first, first + BLOCK)
        errors = np.zeros_like(left[:, block])
        for i, error in enumerate(errors.swapaxes(0, 1), first):
            codes[:, i] = np.clip(np.rint(left[:, i] / scale[:, i]), low, high) * kept[:, i]
            error[:] = (left[:, i] - codes[:, i] * scale[:, i]) / u[:, i, i, None]
            left[:, i + 1 : block.stop] -= u[:, i, i + 1 : block.stop, None] * error[:, None]
        left[:, block.stop :] -= u[:, block, block.stop :].swapaxes(1, 2) @ errors
    return codes


GPTQ = Entry(gptq, RTN.about._replace(control="rtn", paper="frantar2023gptq"))
GPTQ_BLOCKS = Entry(partial(gptq, BLOCKS), GPTQ.about._replace(needs=frozenset({"blocks"}), control="rtn@blocks"))
"""The dense layers in a transformer's blocks alone, as in the paper."""
