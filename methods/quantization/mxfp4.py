"""MXFP4: weights, or weights and inputs, as blocks of four-bit floats. OCP MX, Rouhani et al. 2023 (arXiv 2310.10537).

    ŵ = e2m1(w / s) · s        s = 2^(⌊log2 max|w|⌋ - 2)        over each block of 32                   (algorithm 1)

The numbers are 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives; a scale takes 8 bits (E8M0), so a weight 4.25. Blocks
run along what one product sums over, whatever axes of the weight these are (`methods/uses`): in a convolution along
height, width and input channels together. The last block of a row is shorter where 32 does not divide.

With `inputs`, what enters the modules is rounded too, as it comes: blocks of 32 run along its last axis, the channels,
and their scales follow from the blocks themselves. Nothing is calibrated but batch norm's running statistics, which are
estimated again as `rtn_static` does. The paper says nothing of convolutions; there, blocks of an input lie within one
place of the image, those of a weight do not where 32 does not divide its channels. A format has no knob.
"""

from functools import partial

from methods.arrays.blocks import Blocks
from methods.base import Entry, Method
from methods.paths import KERNELS
from methods.quantization.grids import Grids, blocks_of, chosen, float_inputs, module_of
from methods.quantization.rounding import rounding
from methods.quantization.rtn import RTN
from methods.transforms.microscaling import Microscaled

FORMAT, SIZE = "e2m1", 32


def mxfp4(selector: str = KERNELS, inputs: bool = False) -> Method:
    """Returns rounding to MXFP4, after the last step. It has no strength.

    Args:
      selector: pattern of the paths of the weights to round.
      inputs: whether the inputs of their modules are rounded too.
    """

    def grids_of(problem, variables, strength):
        weights = chosen(variables["params"], selector)
        blocks = blocks_of(problem, variables, weights, SIZE)
        modules = float_inputs(problem, variables, map(module_of, weights)) if inputs else ()
        dynamic = (Microscaled(FORMAT, Blocks((-1,), SIZE)),)
        return Grids({path: Microscaled(FORMAT, own) for path, own in blocks.items()}, dict.fromkeys(modules, dynamic))

    return rounding(grids_of, norms=inputs)


MXFP4 = Entry(mxfp4, RTN.about._replace(knobs=(), sweep=((),), control="rtn", paper="rouhani2023microscaling"))
MXFP4_INPUTS = Entry(
    partial(mxfp4, inputs=True),
    MXFP4.about._replace(changes=MXFP4.about.changes | {"inputs"}, control="rtn_static"),
)
