"""Every transform, and every form in which a weight ships, by the name that artifacts know it by."""

from methods.transforms.grids import Quantized, Quantizer

TRANSFORMS = {"grid": Quantizer}
PACKED = {"grid": Quantized}
