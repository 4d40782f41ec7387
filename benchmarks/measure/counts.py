"""What one example costs: multiply-accumulates and bit operations, counted from the jaxpr of the float forward.

Counted are dot products and convolutions; elementwise work, pooling, norms and table lookups are not, as is usual in
the field. A convolution costs positions × kernel × input channels per group × output channels. Its positions are, along
each axis of space, the fewer of input and output: those of the output, padding included, for an ordinary one, those of
the input for a transposed one, whatever its stride.

Each multiply is charged to the weight it uses, found by data flow: a value made of weights and constants alone stands
for the largest weight in it, and a value that has seen the input is an activation. For a weight of which a share
`density` is not pruned, stored at `bits`, in a module whose input is rounded to `input bits` (32 where it is not):

    effective MACs = Σ MACs · density          BOPs = Σ MACs · density · bits · input bits

(Baskin et al. 2018, arXiv 1804.10969; van Baalen et al. 2020, arXiv 2005.07093.) Products of two activations, as in
attention, have density 1 and 32 × 32 bits. What was 0 before it was rounded is pruned; what rounding makes 0 is not.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
from flax import linen as nn

from benchmarks.artifact.bits import width
from methods.arrays.uniform import FLOAT_BITS, Quantized, Quantizer, decoded, unpack
from methods.base import PyTree, Shipped
from methods.paths import flatten
from methods.uses.uses import Uses, uses_of


class Counts(NamedTuple):
    """Parameters of a net, and what one example costs."""

    parameters: int  # scalars in "params"
    density: float  # share that is not pruned, over the weights that multiply
    weight_bits: float  # mean stored bits per weight, over the matrices that multiply or are looked up
    macs: int  # per example
    effective_macs: float
    bops: float


def count(shipped: Shipped, example: PyTree) -> Counts:
    """Counts what ships on one example, whose shape `example`, an array [B, ...] or a tree of them, gives; B is free.

    Raises ValueError if a loop that multiplies has a trip count only known at run time.
    """
    leaves = flatten(shipped.variables["params"])
    uses = uses_of(shipped.net, jax.eval_shape(decoded, shipped.variables), example)
    macs = _by_weight(uses)
    kept = {path: _values(leaves[path]).size - _pruned(leaves[path]) for path in macs if path}
    size = {path: _values(leaves[path]).size for path in kept}
    density = {None: 1.0} | {path: kept[path] / size[path] for path in kept}
    width_of = {None: FLOAT_BITS**2} | {path: _bit_product(shipped.inputs, path, leaves[path]) for path in kept}
    return Counts(
        parameters=sum(_values(leaf).size for leaf in leaves.values()),
        density=sum(kept.values()) / sum(size.values()) if size else 1.0,
        weight_bits=_weight_bits([leaves[path] for path in {path for path, _ in uses.order if path}]),
        macs=sum(macs.values()),
        effective_macs=float(sum(n * density[path] for path, n in macs.items())),
        bops=float(sum(n * density[path] * width_of[path] for path, n in macs.items())),
    )


def multiplies(net: nn.Module, variables: PyTree, example: PyTree) -> dict[str, int]:
    """Returns the multiply-accumulates of one example that use each weight, by path; those that use none are left out.

    Args:
      net: that runs.
      variables: of the net, arrays.
      example: an input, array [B, ...] or a tree of them; B is free.

    Raises ValueError as `count` does.
    """
    return {path: n for path, n in _by_weight(uses_of(net, variables, example)).items() if path}


def kept(params: PyTree) -> dict[str, int]:
    """Returns how many weights of each leaf are not pruned, by path; one that was only rounded to 0 is not pruned."""
    return {path: _values(leaf).size - _pruned(leaf) for path, leaf in flatten(params).items()}


def _by_weight(uses: Uses) -> dict[str | None, int]:
    """Returns {path of the weight, or None for two activations: MACs}."""
    macs = Counter()
    for path, use in uses.order:
        if use.macs and use.loop:
            raise ValueError(f"cannot count the multiplies inside `{use.loop}`: how often it runs is not in the jaxpr")
        macs[path] += use.macs
    return {path: n for path, n in macs.items() if n}


def _weight_bits(leaves: list[Any]) -> float:
    """Returns Σ size · bits / Σ size over the matrices among `leaves`; 32, as of floats, if there is none."""
    matrices = [leaf for leaf in leaves if _values(leaf).ndim > 1]
    total = sum(_values(leaf).size for leaf in matrices)
    return sum(_values(leaf).size * _bits(leaf) for leaf in matrices) / total if total else float(FLOAT_BITS)


def _values(leaf: Any) -> Any:
    return leaf.codes if isinstance(leaf, Quantized) else leaf


def _pruned(leaf: Any) -> int:
    """Returns how many weights were 0 before they were rounded; where that is unknown, how many are."""
    if isinstance(leaf, Quantized) and leaf.pruned is not None:
        return int(leaf.pruned)
    return _values(leaf).size - int(np.count_nonzero(unpack(jax.device_get(leaf))))


def _bits(leaf: Any) -> int:
    return leaf.bits if isinstance(leaf, Quantized) else 8 * leaf.dtype.itemsize


def _bit_product(inputs: Mapping[str, Quantizer], path: str, leaf: Any) -> int:
    """Returns weight bits × input bits of the module that owns the weight."""
    grid = inputs.get(path.rpartition("/")[0])
    input_bits = FLOAT_BITS if grid is None else min(FLOAT_BITS, width(int(grid.high) - int(grid.low) + 1))
    return _bits(leaf) * input_bits
