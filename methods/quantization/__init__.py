"""Quantization: the rows of its methods."""

from methods.base import Entry
from methods.quantization.adaround import ADAROUND
from methods.quantization.fp8 import FP8_E4M3, FP8_E4M3_INPUTS, FP8_E5M2, FP8_E5M2_INPUTS
from methods.quantization.gptq import GPTQ, GPTQ_BLOCKS
from methods.quantization.lsq import LSQ, LSQ_BLOCKS, LSQ_EDGES8, LSQ_WEIGHTS
from methods.quantization.mxfp4 import MXFP4, MXFP4_INPUTS
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
    "gptq": GPTQ,
    "gptq@blocks": GPTQ_BLOCKS,
    "adaround": ADAROUND,
    "lsq": LSQ,
    "lsq@weights": LSQ_WEIGHTS,
    "lsq@edges8": LSQ_EDGES8,
    "lsq@blocks": LSQ_BLOCKS,
    "fp8_e4m3": FP8_E4M3,
    "fp8_e5m2": FP8_E5M2,
    "fp8_e4m3@inputs": FP8_E4M3_INPUTS,
    "fp8_e5m2@inputs": FP8_E5M2_INPUTS,
    "mxfp4": MXFP4,
    "mxfp4@inputs": MXFP4_INPUTS,
}
