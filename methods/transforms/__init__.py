"""Every transform, and every form in which a weight ships, by the name that artifacts know it by.

A name must stay what it is: files that were written hold it, with the static fields of its class.
"""

from methods.transforms.divisions import Divide
from methods.transforms.double_scales import DoubleScaled
from methods.transforms.floats import Floats, PackedFloats
from methods.transforms.grids import Grouped, Quantized, Quantizer
from methods.transforms.microscaling import Microscaled
from methods.transforms.patterned import Patterned
from methods.transforms.rotations import Rotation
from methods.transforms.tables import PackedTable, Table
from methods.transforms.transform import Packed, Transform

TRANSFORMS: dict[str, type[Transform]] = {
    "grid": Quantizer,
    "table": Table,
    "floats": Floats,
    "microscaled": Microscaled,
    "double_scaled": DoubleScaled,
    "divide": Divide,
    "rotation": Rotation,
}
PACKED: dict[str, type[Packed]] = {
    "grid": Quantized,
    "grouped": Grouped,
    "table": PackedTable,
    "floats": PackedFloats,
    "patterned": Patterned,
}
