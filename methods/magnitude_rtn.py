"""Prune by magnitude, recover, then round what is left to nearest: the first steps of deep compression.

Han et al. 2016 (arXiv 1510.00149) in their order, with uniform grids for their codebooks and without entropy coding.
"""

from methods.base import Method
from methods.chain import chain
from methods.magnitude import magnitude
from methods.rtn import rtn


def magnitude_rtn() -> Method:
    """Strength: (sparsity, bits)."""
    return chain(magnitude(), rtn(), strengths=((0.5, 8), (0.75, 8), (0.5, 4), (0.75, 4), (0.9, 8), (0.9, 4)))
