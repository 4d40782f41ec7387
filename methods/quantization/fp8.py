"""FP8: weights, or weights and inputs, as floats of eight bits. Micikevicius et al. 2022 (arXiv 2209.05433).

    ŵ = round(w / s) · s        s = max|w| / largest        largest: 448 of E4M3, 57344 of E5M2          (§3, table 1)

Rounding is to nearest, half to even, with subnormals; what lies beyond the largest number becomes that. A weight ships
as the codes of the format. With `inputs`, what enters the modules goes the same way, with one static scale a tensor
from calibration data, and batch norm's running statistics are estimated again, as `rtn_static` does.

Deviations: a weight has a scale for each output channel, not one a tensor, as all quantizers here do; scales are any
float32, which is what FP8 libraries ship, where the paper has powers of two. The paper takes E4M3 for weights and
inputs; E5M2, its format of gradients, has a row so that range and precision can be told apart. A format has no knob.
"""

from functools import partial

import jax
import jax.numpy as jnp

from methods.arrays.floats import format_of
from methods.base import Entry, Method
from methods.calibration.ranges import calibrate
from methods.paths import KERNELS
from methods.quantization.grids import Grids, chosen, module_of
from methods.quantization.rounding import rounding
from methods.quantization.rtn import RTN
from methods.transforms.floats import Floats
from methods.transforms.grids import normal
from methods.uses.axes import output_axes


def fp8(format: str, selector: str = KERNELS, inputs: bool = False) -> Method:
    """Returns rounding to FP8, after the last step. It has no strength.

    Args:
      format: "e4m3fn" or "e5m2", see `arrays/floats.py`.
      selector: pattern of the paths of the weights to round.
      inputs: whether the inputs of their modules are rounded too.
    """

    def grids_of(problem, variables, strength):
        weights = chosen(variables["params"], selector)
        axes = output_axes(problem.net, variables, problem.example, weights)
        entering = {}
        if inputs:
            modules = map(module_of, weights)
            ranges = calibrate(problem.net, variables, problem.calibration, modules, problem.tap)
            peaks = {path: jnp.maximum(-seen.minimum, seen.maximum) for path, seen in ranges.items()}
            entering = {path: (Floats(scale_of(peak, format), format),) for path, peak in peaks.items()}
        return Grids({path: of_weight(w, axes[path], format) for path, w in weights.items()}, entering)

    return rounding(grids_of, norms=inputs)


def of_weight(weight: jax.Array, axes: tuple[int, ...], format: str) -> Floats:
    """Returns what a weight goes through.

    Args:
      weight: any array of floats.
      axes: those along which each entry has a scale of its own.
      format: of the numbers.
    """
    others = tuple(i for i in range(weight.ndim) if i not in axes)
    return Floats(scale_of(jnp.max(jnp.abs(weight), others, keepdims=True).astype(jnp.float32), format), format)


def scale_of(peak: jax.Array, format: str) -> jax.Array:
    """Returns the scale that takes `peak` to the largest number, float32; 1 where that is no normal number."""
    return normal(peak * (1 / format_of(format).largest))  # a quotient may differ in the last bit between programs


_ABOUT = RTN.about._replace(knobs=(), sweep=((),), control="rtn", paper="micikevicius2022fp8")
_BOTH = _ABOUT._replace(changes=_ABOUT.changes | {"inputs"}, control="rtn_static")

FP8_E4M3 = Entry(partial(fp8, "e4m3fn"), _ABOUT)
FP8_E5M2 = Entry(partial(fp8, "e5m2"), _ABOUT)
FP8_E4M3_INPUTS = Entry(partial(fp8, "e4m3fn", inputs=True), _BOTH)
FP8_E5M2_INPUTS = Entry(partial(fp8, "e5m2", inputs=True), _BOTH)
