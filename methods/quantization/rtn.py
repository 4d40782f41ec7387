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

from methods.base import Description, Entry, Method
from methods.calibration.ranges import calibrate
from methods.paths import BLOCKS, KERNELS
from methods.quantization.grids import BITS, SWEEP, Grids, bits_of, chosen, min_max, module_of
from methods.quantization.rounding import rounding
from methods.transforms.grids import affine


def rtn(selector: str = KERNELS, activations: bool = False, norms: bool = False, edge_bits: int = 0) -> Method:
    """Returns rounding to nearest, after the last step. Strength: bits; 32 leaves the net as it is.

    Args:
      selector: pattern of the paths of the weights to round.
      activations: whether the inputs of their modules are rounded too.
      norms: whether batch norm's running statistics are estimated again afterwards.
      edge_bits: of the weights used first and last, and of their modules' inputs; 0 makes no exception.
    """

    def grids_of(problem, variables, strength):
        weights = chosen(variables["params"], selector)
        bits, inputs = bits_of(problem, variables, weights, strength[0], edge_bits), {}
        if activations:
            modules = {module_of(path): bits[path] for path in weights}
            ranges = calibrate(problem.net, variables, problem.calibration, modules, problem.tap)
            inputs = {path: (affine(seen.minimum, seen.maximum, modules[path]),) for path, seen in ranges.items()}
        return Grids(min_max(problem, variables, weights, bits), inputs)

    return rounding(grids_of, norms=norms)


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
