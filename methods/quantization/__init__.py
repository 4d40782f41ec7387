"""Quantization: the rows of its methods."""

from methods.base import Entry
from methods.quantization.lsq import LSQ
from methods.quantization.rtn import RTN, RTN_STATIC

METHODS: dict[str, Entry] = {
    "rtn": RTN,
    "rtn_static": RTN_STATIC,
    "lsq": LSQ,
}
