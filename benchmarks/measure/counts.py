"""What one example costs: multiply-accumulates and bit operations, counted from the jaxpr of the float forward.

Counted are dot products and convolutions; elementwise work, pooling, norms and table lookups are not, as is usual in
the field. A convolution costs output positions × kernel × input channels per group, padding included; a transposed
one, input positions × kernel × output channels per group.

Each multiply is charged to the weight it uses, found by data flow: a value made of weights and constants alone stands
for the largest weight in it, and a value that has seen the input is an activation. For a weight of which a share
`density` is not pruned, stored at `bits`, in a module whose input is rounded to `input bits` (32 where it is not):

    effective MACs = Σ MACs · density          BOPs = Σ MACs · density · bits · input bits

(Baskin et al. 2018, arXiv 1804.10969; van Baalen et al. 2020, arXiv 2005.07093.) Products of two activations, as in
attention, have density 1 and 32 × 32 bits. What was 0 before it was rounded is pruned; what rounding makes 0 is not.
"""

import math
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import numpy as np
from flax import linen as nn
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal
from jax.tree_util import tree_leaves_with_path

from benchmarks.artifact.bits import width
from methods.arrays.uniform import FLOAT_BITS, Quantized, Quantizer, decoded, unpack
from methods.base import PyTree, Shipped
from methods.flaxnet import forward
from methods.paths import flatten, join

Origin = float
"""What a value of the jaxpr is made of, as a number: CONSTANT, of constants alone; i = 1, 2, …, of weights, the largest
of which is the i-th in order of size; ACTIVATION, of the input, too. An operation's result has the largest origin of
its operands."""
CONSTANT, ACTIVATION = 0, math.inf


class Counts(NamedTuple):
    """Parameters of a net, and what one example costs."""

    parameters: int  # scalars in "params"
    density: float  # share that is not pruned, over the weights that multiply
    weight_bits: float  # mean over the weights with two or more axes, as they are stored, pruned ones too
    macs: int  # per example
    effective_macs: float
    bops: float


def count(shipped: Shipped, example: PyTree) -> Counts:
    """Counts what ships on one example, whose shape `example`, an array [B, ...] or a tree of them, gives; B is free.

    Raises ValueError if a loop that multiplies has a trip count only known at run time.
    """
    leaves = dict(sorted(flatten(shipped.variables["params"]).items(), key=lambda item: _values(item[1]).size))
    macs = _by_weight(shipped, example, list(leaves))
    kept = {path: _values(leaves[path]).size - _pruned(leaves[path]) for path in macs if path}
    size = {path: _values(leaves[path]).size for path in kept}
    density = {None: 1.0} | {path: kept[path] / size[path] for path in kept}
    width_of = {None: FLOAT_BITS**2} | {path: _bits(leaves[path]) * _input_bits(shipped.inputs, path) for path in kept}
    return Counts(
        parameters=sum(_values(leaf).size for leaf in leaves.values()),
        density=sum(kept.values()) / sum(size.values()) if size else 1.0,
        weight_bits=_mean_bits([leaf for leaf in leaves.values() if _values(leaf).ndim > 1]),
        macs=sum(macs.values()),
        effective_macs=float(sum(n * density[path] for path, n in macs.items())),
        bops=float(sum(n * density[path] * width_of[path] for path, n in macs.items())),
    )


def _by_weight(shipped: Shipped, example: PyTree, paths: list[str]) -> dict[str | None, int]:
    """Returns {path of the weight, or None for two activations: MACs}; `paths` begin with the smallest weight."""
    floats = jax.eval_shape(decoded, shipped.variables)
    one = jax.tree.map(lambda a: jax.ShapeDtypeStruct((1, *a.shape[1:]), a.dtype), example)
    leaves, structure = jax.tree.flatten((floats, one))
    return _counted(shipped.net, structure, tuple(leaves), tuple(paths))


@lru_cache(maxsize=64)
def _counted(net: nn.Module, structure: Any, leaves: tuple, paths: tuple[str, ...]) -> dict[str | None, int]:
    floats, x = jax.tree.unflatten(structure, leaves)
    jaxpr = jax.make_jaxpr(lambda v, x: forward(net, v, x)[0])(floats, x)
    rank = {f"params/{path}": i for i, path in enumerate(paths, start=1)}
    paths_of_leaves = [join(entry.key for entry in path) for path, _ in tree_leaves_with_path(floats)]
    origins = [rank.get(path, CONSTANT) for path in paths_of_leaves]
    _, macs = _walk(jaxpr, origins + [ACTIVATION] * len(jax.tree.leaves(x)))
    return {paths[i - 1] if i else None: n for i, n in macs.items()}


def _walk(jaxpr: Any, origins: list[Origin]) -> tuple[list[Origin], Counter]:
    """Returns (origin of each output, MACs by origin of their weight, 0 without one) for inputs of these origins."""
    jaxpr = _open(jaxpr)
    env = dict(zip(jaxpr.invars, origins, strict=True))
    total = Counter()

    def look(v):
        return CONSTANT if isinstance(v, Literal) else env.get(v, CONSTANT)

    for eqn in jaxpr.eqns:
        inputs = [look(v) for v in eqn.invars]
        outputs, macs = _equation(eqn, inputs)
        env.update(zip(eqn.outvars, outputs, strict=True))
        total.update(macs)
    return [look(v) for v in jaxpr.outvars], total


def _equation(eqn: Any, inputs: list[Origin]) -> tuple[list[Origin], Counter]:
    """Returns (origins of the outputs, MACs) of one equation."""
    name, spread = eqn.primitive.name, [max(inputs, default=CONSTANT)] * len(eqn.outvars)
    if name in _MULTIPLIES:
        weight = max((i for i in inputs[:2] if i != ACTIVATION), default=CONSTANT)
        return spread, Counter({weight: _MULTIPLIES[name](eqn)})
    if name == "scan":
        return _scan(eqn, inputs)
    if name == "cond":
        return _cond(eqn, inputs)
    inner = [p for p in eqn.params.values() if isinstance(p, ClosedJaxpr | Jaxpr)]
    if name != "while" and len(inner) == 1 and _fits(inner[0], eqn):
        return _walk(inner[0], inputs)
    for jaxpr in inner:
        if _walk(jaxpr, [CONSTANT] * len(_open(jaxpr).invars))[1].total():
            raise ValueError(f"cannot count the multiplies inside `{name}`: how often it runs is not in the jaxpr")
    return spread, Counter()


def _scan(eqn: Any, inputs: list[Origin]) -> tuple[list[Origin], Counter]:
    """Counts the body `length` times; what is carried may turn into an activation on the way."""
    body = _open(eqn.params["jaxpr"])
    carries = len(eqn.outvars) - _sliced(eqn.outvars, body.outvars)
    end = len(inputs) - _sliced(eqn.invars, body.invars)
    while True:
        outputs, macs = _walk(body, inputs)
        carried = [max(pair) for pair in zip(inputs[end - carries : end], outputs[:carries], strict=True)]
        if carried == inputs[end - carries : end]:
            return outputs, Counter({origin: n * eqn.params["length"] for origin, n in macs.items()})
        inputs = [*inputs[: end - carries], *carried, *inputs[end:]]


def _sliced(outer: list, inner: list) -> int:
    """Counts the values of a scan of which its body sees one slice.

    It goes by shape, since the names of parameters differ between JAX 0.10 and 0.11.
    """
    return sum(len(o.aval.shape) > len(i.aval.shape) for o, i in zip(outer, inner, strict=True))


def _cond(eqn: Any, inputs: list[Origin]) -> tuple[list[Origin], Counter]:
    """Counts the branch that multiplies most."""
    walks = [_walk(branch, inputs[1:]) for branch in eqn.params["branches"]]
    outputs = [max(inputs[0], *made) for made in zip(*(outputs for outputs, _ in walks), strict=True)]
    return outputs, max((macs for _, macs in walks), key=Counter.total)


def _dot_macs(eqn: Any) -> int:
    lhs, (contracted, _) = eqn.invars[0].aval, eqn.params["dimension_numbers"][0]
    return math.prod(eqn.outvars[0].aval.shape) * math.prod(lhs.shape[axis] for axis in contracted)


def _conv_macs(eqn: Any) -> int:
    lhs, rhs = (v.aval.shape for v in eqn.invars)
    out_axis, in_axis, *_ = eqn.params["dimension_numbers"].rhs_spec
    if math.prod(eqn.params["lhs_dilation"]) > 1:
        return math.prod(lhs) * math.prod(rhs) // rhs[in_axis] // eqn.params["feature_group_count"]
    return math.prod(eqn.outvars[0].aval.shape) * math.prod(rhs) // rhs[out_axis]


_MULTIPLIES = {"dot_general": _dot_macs, "conv_general_dilated": _conv_macs}


def _open(jaxpr: Any) -> Any:
    """Returns `jaxpr` without the constants it may be closed over (JAX 0.11 has one class for both)."""
    return getattr(jaxpr, "jaxpr", jaxpr)


def _fits(jaxpr: Any, eqn: Any) -> bool:
    """Returns whether `jaxpr` is simply what a call runs: jit, remat, custom derivatives."""
    jaxpr = _open(jaxpr)
    return (len(jaxpr.invars), len(jaxpr.outvars)) == (len(eqn.invars), len(eqn.outvars))


def _values(leaf: Any) -> Any:
    return leaf.codes if isinstance(leaf, Quantized) else leaf


def _pruned(leaf: Any) -> int:
    """Returns how many weights were 0 before they were rounded; where that is unknown, how many are."""
    if isinstance(leaf, Quantized) and leaf.pruned is not None:
        return int(leaf.pruned)
    return _values(leaf).size - int(np.count_nonzero(unpack(jax.device_get(leaf))))


def _bits(leaf: Any) -> int:
    """Returns the bits at which a weight is stored."""
    return leaf.bits if isinstance(leaf, Quantized) else 8 * leaf.dtype.itemsize


def _mean_bits(leaves: list[Any]) -> float:
    size = sum(_values(leaf).size for leaf in leaves)
    return sum(_values(leaf).size * _bits(leaf) for leaf in leaves) / size if size else float(FLOAT_BITS)


def _input_bits(inputs: Mapping[str, Quantizer], path: str) -> int:
    """Returns the bits of the input of the module that owns a weight."""
    grid = inputs.get(path.rpartition("/")[0])
    return FLOAT_BITS if grid is None else min(FLOAT_BITS, width(int(grid.high) - int(grid.low) + 1))
