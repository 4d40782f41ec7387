"""Quantization: the rows of its methods."""

from methods.base import Entry
from methods.quantization.lsq import LSQ, LSQ_BLOCKS, LSQ_EDGES8, LSQ_WEIGHTS
from methods.quantization.rtn import RTN, RTN_BLOCKS, RTN_BN, RTN_STATIC, RTN_STATIC_BLOCKS
from methods.quantization.smoothquant import SMOOTHQUANT, SMOOTHQUANT_BLOCKS

METHODS: dict[str, Entry] = {
    "rtn": RTN,
    "rtn_bn": RTN_BN,
    "rtn@blocks": RTN_BLOCKS,
    "rtn_static": RTN_STATIC,
    "rtn_static@blocks": RTN_STATIC_BLOCKS,
    "smoothquant": SMOOTHQUANT,
    "smoothquant@blocks": SMOOTHQUANT_BLOCKS,
    "lsq": LSQ,
    "lsq@weights": LSQ_WEIGHTS,
    "lsq@edges8": LSQ_EDGES8,
    "lsq@blocks": LSQ_BLOCKS,
}
