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
attention, have density 1 and the bits of both factors, where these are inputs of the module that multiplies them. What
was 0 before it was rounded is pruned; what rounding makes 0 is not.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from flax import linen as nn

from methods.base import PyTree, Shipped
from methods.paths import flatten
from methods.transforms.grids import FLOAT_BITS
from methods.transforms.transform import Transform, decoded, is_packed, unpack
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
    macs = _by_operands(uses)
    multiply = {path for path, _ in macs if path}
    kept = {path: _size(leaves[path]) - _pruned(leaves[path]) for path in multiply}
    size = {path: _size(leaves[path]) for path in multiply}
    density = {None: 1.0} | {path: kept[path] / size[path] for path in multiply}
    bits = {key: _bits_of(transforms) for key, transforms in shipped.inputs.items()}
    return Counts(
        parameters=sum(map(_size, leaves.values())),
        density=sum(kept.values()) / sum(size.values()) if size else 1.0,
        weight_bits=_weight_bits([leaves[path] for path in {path for path, _ in uses.order if path}]),
        macs=sum(macs.values()),
        effective_macs=float(sum(n * density[path] for (path, _), n in macs.items())),
        bops=float(sum(n * density[path] * _product(path, keys, leaves, bits) for (path, keys), n in macs.items())),
    )


def multiplies(net: nn.Module, variables: PyTree, example: PyTree) -> dict[str, int]:
    """Returns the multiply-accumulates of one example that use each weight, by path; those that use none are left out.

    Args:
      net: that runs.
      variables: of the net, arrays.
      example: an input, array [B, ...] or a tree of them; B is free.

    Raises ValueError as `count` does.
    """
    macs = Counter()
    for (path, _), n in _by_operands(uses_of(net, variables, example)).items():
        macs[path] += n
    return {path: n for path, n in macs.items() if path}


def kept(params: PyTree) -> dict[str, int]:
    """Returns how many weights of each leaf are not pruned, by path; one that was only rounded to 0 is not pruned."""
    return {path: _size(leaf) - _pruned(leaf) for path, leaf in flatten(params).items()}


def _by_operands(uses: Uses) -> dict[tuple[str | None, tuple[str | None, ...]], int]:
    """Returns {(path of the weight, or None for two activations; keys of the inputs that these are): MACs}."""
    macs = Counter()
    for path, use in uses.order:
        if use.macs and use.loop:
            raise ValueError(f"cannot count the multiplies inside `{use.loop}`: how often it runs is not in the jaxpr")
        macs[path, use.inputs] += use.macs
    return {what: n for what, n in macs.items() if n}


def _weight_bits(leaves: list[Any]) -> float:
    """Returns Σ size · bits / Σ size over the matrices among `leaves`; 32, as of floats, if there is none."""
    matrices = [leaf for leaf in leaves if len(leaf.shape) > 1]
    total = sum(map(_size, matrices))
    return sum(_size(leaf) * _bits(leaf) for leaf in matrices) / total if total else float(FLOAT_BITS)


def _size(leaf: Any) -> int:
    return math.prod(leaf.shape)


def _pruned(leaf: Any) -> int:
    """Returns how many weights were 0 before they were rounded; where that is unknown, how many are."""
    if is_packed(leaf) and leaf.pruned is not None:
        return int(leaf.pruned)
    return _size(leaf) - int(np.count_nonzero(unpack(jax.device_get(leaf))))


def _bits(leaf: Any) -> int:
    return leaf.bits if is_packed(leaf) else 8 * leaf.dtype.itemsize


def _bits_of(transforms: Sequence[Transform]) -> int:
    """Returns the bits of an input: those that the last of its transforms sets, if one does."""
    return next((one.bits for one in reversed(transforms) if one.bits is not None), FLOAT_BITS)


def _product(path: str | None, keys: Sequence[str | None], leaves: Mapping[str, Any], bits: Mapping[Any, int]) -> int:
    """Returns the bits of one factor of a multiply times those of the other.

    Args:
        path: of the weight; its input is that of the module that owns it. None for two activations.
        keys: of two activations: which inputs they are, None where they are none.
        leaves: weights by path.
        bits: of inputs, by key.
    """
    if path is None:
        return math.prod(bits.get(key, FLOAT_BITS) for key in keys)
    return _bits(leaves[path]) * bits.get(path.rpartition("/")[0], FLOAT_BITS)
