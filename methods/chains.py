"""Named chains, as data."""

from methods.base import Entry
from methods.chain import chain
from methods.pruning.magnitude import MAGNITUDE
from methods.quantization.rtn import RTN

MAGNITUDE_RTN = chain(
    MAGNITUDE,
    RTN,
    sweep=((0.25, 8.0), (0.5, 8.0), (0.75, 8.0), (0.5, 4.0), (0.75, 4.0), (0.9, 4.0)),
    control="magnitude",
    paper="han2016deep",
)
"""Prune by magnitude, recover, then round what is left to nearest: the first steps of deep compression, Han et al. 2016
(arXiv 1510.00149), in their order, with uniform grids for their codebooks and without entropy coding. Its control is
pruning alone: whether some bytes are better saved by rounding than by pruning more. Both have the same training, which
rounding alone has not; both parts stand beside the chain on the board, as in the paper's figure 6."""

METHODS: dict[str, Entry] = {"magnitude_rtn": MAGNITUDE_RTN}
