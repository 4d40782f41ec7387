"""Round to nearest: post-training quantization without any training. The control of every quantization method.

Weights: symmetric min-max grid per output channel, bits 2-8 (Krishnamoorthi 2018, arXiv 1806.08342, §2.1).
With `activations`, module inputs too, at the same bits: an affine min-max grid per tensor whose range is
measured once on the calibration data, i.e. static W8A8 at strength 8 (Jacob et al. 2018, arXiv 1712.05877).
Biases and norms stay float32.
"""

from typing import NamedTuple

import jax

from methods.arrays.uniform import affine
from methods.base import Description, Entry, Method, State
from methods.calibration.ranges import calibrate
from methods.paths import KERNELS, note_left, select
from methods.quantization.grids import BITS, NO_GRIDS, SWEEP, Grids, module_of, per_channel, through


class Rounding(NamedTuple):
    """What is fixed: the strength, and the grids that `settle` makes from it; nothing is rounded before."""

    bits: jax.Array  # float32 []
    grids: Grids | None = None


def _current(state: State) -> Grids:
    return state.fixed.grids or NO_GRIDS


def rtn(selector: str = KERNELS, activations: bool = False) -> Method:
    """Returns rounding to nearest, after the last step. Strength: bits; 32 leaves the net as it is.

    Args:
      selector: pattern of the paths of the weights to round.
      activations: whether the inputs of their modules are rounded too.
    """

    def init(key, problem, variables, strength):
        (bits,) = strength
        return problem.net, variables, State(fixed=Rounding(bits))

    def settle(key, problem, variables, state):
        bits, weights = state.fixed.bits, select(variables["params"], selector)
        note_left(variables["params"], selector)
        inputs = {}
        if activations:
            modules = [module_of(path) for path in weights]
            ranges = calibrate(problem.net, variables, problem.calibration, modules)
            inputs = {path: affine(seen.minimum, seen.maximum, bits) for path, seen in ranges.items()}
        return variables, State(fixed=Rounding(bits, Grids(per_channel(weights, bits), inputs)))

    return Method(init=init, settle=settle, **through(_current))


def rtn_static() -> Method:
    """Returns `rtn` of weights and of calibrated inputs. Strength: bits of both; 8 is W8A8."""
    return rtn(activations=True)


RTN = Entry(
    rtn,
    Description(
        family="quantization",
        knobs=(BITS,),
        sweep=SWEEP,
        changes=frozenset({"weights", "values"}),
        paper="krishnamoorthi2018quantizing",
    ),
)
RTN_STATIC = Entry(
    rtn_static, RTN.about._replace(changes=RTN.about.changes | {"inputs"}, paper="jacob2018quantization")
)
