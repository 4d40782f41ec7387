"""Quantization: the rows of its methods."""

from methods.base import Entry
from methods.quantization.lsq import LSQ
from methods.quantization.rtn import RTN, RTN_BN, RTN_STATIC

METHODS: dict[str, Entry] = {
    "rtn": RTN,
    "rtn_bn": RTN_BN,
    "rtn_static": RTN_STATIC,
    "lsq": LSQ,
}
