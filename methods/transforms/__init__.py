"""Every transform, and every form in which a weight ships, by the name that artifacts know it by."""

from methods.transforms.divisions import Divide
from methods.transforms.grids import Grouped, Quantized, Quantizer
from methods.transforms.transform import Packed, Transform

TRANSFORMS: dict[str, type[Transform]] = {"grid": Quantizer, "divide": Divide}
PACKED: dict[str, type[Packed]] = {"grid": Quantized, "grouped": Grouped}
