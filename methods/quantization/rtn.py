"""Round to nearest: post-training quantization without any training. The control of every quantization method.

Weights: symmetric min-max grid per output channel, bits 2-8 (Krishnamoorthi 2018, arXiv 1806.08342, §2.1); which axes
are output channels follows from how the net uses a weight (`methods/uses`). Biases and norms stay float32. `rtn` itself
sees no data.
With `activations`, module inputs too, at the same bits: an affine min-max grid per tensor whose range is
measured once on the calibration data, i.e. static W8A8 at strength 8 (Jacob et al. 2018, arXiv 1712.05877).
With `norms`, batch norm's running statistics are estimated again on the calibration data, for the net as it is
rounded (Wu and Johnson 2021, arXiv 2105.07576, §3, see calibration/batch_norm.py). A net without batch norm is then
what it is without `norms`, bit for bit.
"""

from functools import partial
from typing import NamedTuple

import jax
from jax.tree_util import Partial

from methods.base import Description, Entry, Method, Problem, PyTree, State
from methods.calibration.batch_norm import reestimate
from methods.calibration.ranges import calibrate
from methods.flaxnet import COMPILE_QUICKLY, together
from methods.paths import BLOCKS, KERNELS, with_params
from methods.quantization.grids import (
    BITS,
    NO_GRIDS,
    SWEEP,
    Grids,
    bits_of,
    chosen,
    min_max,
    module_of,
    tap,
    through,
    view,
)
from methods.transforms.grids import FLOAT_BITS, affine

_view = jax.jit(view, compiler_options=COMPILE_QUICKLY)


class Rounding(NamedTuple):
    """What is fixed: the strength, and the grids that `settle` makes from it; nothing is rounded before."""

    bits: jax.Array  # float32 []
    grids: Grids | None = None


def _current(state: State) -> Grids:
    return state.fixed.grids or NO_GRIDS


def rtn(selector: str = KERNELS, activations: bool = False, norms: bool = False, edge_bits: int = 0) -> Method:
    """Returns rounding to nearest, after the last step. Strength: bits; 32 leaves the net as it is.

    Args:
      selector: pattern of the paths of the weights to round.
      activations: whether the inputs of their modules are rounded too.
      norms: whether batch norm's running statistics are estimated again afterwards.
      edge_bits: of the weights used first and last, and of their modules' inputs; 0 makes no exception.
    """

    def init(key, problem, variables, strength):
        (bits,) = strength
        return problem.net, variables, State(fixed=Rounding(bits))

    def settle(key, problem, variables, state, round):
        weights = chosen(variables["params"], selector)
        bits, inputs = bits_of(problem, variables, weights, state.fixed.bits, edge_bits), {}
        if activations:
            modules = {module_of(path): bits[path] for path in weights}
            ranges = calibrate(problem.net, variables, problem.calibration, modules, problem.tap)
            inputs = {path: (affine(seen.minimum, seen.maximum, modules[path]),) for path, seen in ranges.items()}
        grids = Grids(min_max(problem, variables, weights, bits), inputs)
        if norms and state.fixed.bits < FLOAT_BITS:
            variables = _renewed(problem, variables, grids)
        return problem.net, variables, State(fixed=Rounding(state.fixed.bits, grids))

    return Method(init=init, settle=settle, **through(_current))


def _renewed(problem: Problem, variables: PyTree, grids: Grids) -> PyTree:
    """Returns `variables` with the running statistics of the net that `grids` round; the weights stay as they are."""
    renewed = reestimate(
        problem.net, _view(grids, variables), problem.calibration, together(problem.tap, Partial(tap, grids))
    )
    return with_params(renewed, variables["params"])


def rtn_bn() -> Method:
    """Returns `rtn` followed by new running statistics for batch norm. Strength: bits of weights."""
    return rtn(norms=True)


def rtn_static(selector: str = KERNELS, edge_bits: int = 0) -> Method:
    """Returns `rtn_bn` of weights and of calibrated inputs. Strength: bits of both; 8 is W8A8."""
    return rtn(selector, activations=True, norms=True, edge_bits=edge_bits)


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
RTN_BN = Entry(rtn_bn, RTN.about._replace(needs=frozenset({"batch_norm"}), control="rtn", paper="wu2021rethinking"))
RTN_STATIC = Entry(
    rtn_static, RTN.about._replace(changes=RTN.about.changes | {"inputs"}, paper="jacob2018quantization")
)
RTN_BLOCKS = Entry(partial(rtn, BLOCKS), RTN.about._replace(needs=frozenset({"blocks"})))
RTN_STATIC_BLOCKS = Entry(partial(rtn_static, BLOCKS), RTN_STATIC.about._replace(needs=frozenset({"blocks"})))
"""The dense layers in a transformer's blocks alone, as papers on transformers do."""
