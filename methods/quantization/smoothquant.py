"""SmoothQuant: outliers of inputs move into the weights before both are rounded. Xiao et al. 2023 (arXiv 2211.10438).

    Y = (X · diag(s)⁻¹) · (diag(s) · W)                                                       (eq. 3)
    s_j = max|X_j|^α / max|W_j|^(1 - α)                                                       (eq. 4)

j is a channel of what enters a layer, the last axis of X; max|X_j| is over all calibration data. α is 0.5, as in the
paper. Layers that read the same array share s, and max|W_j| is over all of them. Weights and inputs are then rounded as
by `rtn_static`, the control: inputs static per tensor, as in the paper's O3, which has 8 bits.

Where a norm made the array, its scale and bias take the division, as in the paper. Elsewhere the division ships and
runs, see `scaling.py`.

Deviations: the paper smooths what enters attention and MLP alone, here all layers that are rounded are smoothed, and
weights keep a scale for each output channel instead of one. A channel that calibration data leave at 0, or all of whose
weights are 0, has s = 1.
"""

import warnings
from functools import partial

import jax
import jax.numpy as jnp
from jax.tree_util import Partial

from methods.base import Entry, Fallback, Method, Problem, PyTree, State
from methods.calibration.ranges import calibrate
from methods.flaxnet import together, transform_inputs
from methods.paths import BLOCKS, KERNELS, select
from methods.quantization.grids import Grids, module_of
from methods.quantization.rtn import RTN_STATIC, RTN_STATIC_BLOCKS, rtn_static
from methods.quantization.scaling import Divisions, scaled, scalings
from methods.transforms.grids import FLOAT_BITS


def smoothquant(selector: str = KERNELS, alpha: float = 0.5, edge_bits: int = 0) -> Method:
    """Returns SmoothQuant. Strength: bits of weights and inputs; 8 is the paper's, 32 leaves the net as it is.

    Args:
      selector: pattern of the paths of the weights to round.
      alpha: α, the share of the inputs' outliers that the weights take.
      edge_bits: of the weights used first and last, and of their modules' inputs; 0 makes no exception.
    """
    static = rtn_static(selector, edge_bits)

    def settle(key, problem, variables, state, round):
        divisions = {}
        if state.fixed.strength[0] < FLOAT_BITS:
            variables, divisions = smoothed(problem, variables, selector, alpha)
        tap = together(problem.tap, Partial(transform_inputs, divisions))
        net, variables, state = static.settle(key, problem._replace(tap=tap), variables, state, round)
        weights, inputs = state.fixed.grids
        both = {path: (*divisions.get(path, ()), *inputs.get(path, ())) for path in {**divisions, **inputs}}
        return net, variables, State(fixed=state.fixed._replace(grids=Grids(weights, both)))

    return static._replace(settle=settle)


def smoothed(problem: Problem, variables: PyTree, selector: str, alpha: float) -> tuple[PyTree, Divisions]:
    """Returns the variables of the same function with smoother inputs, and the divisions that they do not hold.

    Args:
      problem: its net, its calibration data, and the tap of the parts before.
      variables: of the net.
      selector: pattern of the paths of the weights.
      alpha: α.

    Raises:
      OptionError: no path matches.
      ValueError: the calibration data have no batch.
    """
    weights = select(variables["params"], selector)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Fallback)  # `rtn_static` measures once more, and says the same
        modules = {module_of(path) for path in weights}
        ranges = calibrate(problem.net, variables, problem.calibration, modules, problem.tap)
    peaks = {path: seen.peaks for path, seen in ranges.items()}
    plan = scalings(problem, variables, list(weights), {path: peak.size for path, peak in peaks.items()})
    scales = []
    for one in plan:
        of_weights = [_peaks(weights[path], axis) for path, axis in one.weights]
        of_inputs = [peaks[module] for module in one.modules]
        scales.append(smoothing(_largest(of_inputs), _largest(of_weights), alpha))
    return scaled(variables, plan, scales)


def smoothing(inputs: jax.Array, weights: jax.Array, alpha: float) -> jax.Array:
    """Returns s, float32 [C].

    Args:
      inputs: max|X_j|, float32 [C].
      weights: max|W_j|, float32 [C].
      alpha: α.
    """
    return jnp.where((inputs > 0) & (weights > 0), inputs**alpha / weights ** (1 - alpha), 1.0)


def _peaks(weight: jax.Array, axis: int) -> jax.Array:
    """Returns the largest magnitude of each entry along an axis, float32 [C]."""
    return jnp.max(jnp.abs(weight), [i for i in range(weight.ndim) if i != axis]).astype(jnp.float32)


def _largest(peaks: list[jax.Array]) -> jax.Array:
    return jnp.max(jnp.stack(peaks), 0)


SMOOTHQUANT = Entry(smoothquant, RTN_STATIC.about._replace(control="rtn_static", paper="xiao2023smoothquant"))
SMOOTHQUANT_BLOCKS = Entry(
    partial(smoothquant, BLOCKS),
    RTN_STATIC_BLOCKS.about._replace(control="rtn_static@blocks", paper="xiao2023smoothquant"),
)
"""The dense layers in a transformer's blocks alone, as the paper does."""
