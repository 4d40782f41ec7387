"""The walk over a jaxpr: from the weights through all equations, calls, loops and branches, to where they are used.

A value made of weights and constants alone stands for these weights; one that has seen the input is an activation.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from jax.extend.core import ClosedJaxpr, Jaxpr
from jax.extend.core import Literal as Constant

from methods.uses.notes import NOTE
from methods.uses.views import View, along, followed, merged, sliced, stacked


class Value(NamedTuple):
    """What a value of the jaxpr is made of."""

    of_input: bool
    views: Mapping[int, View] = {}  # by number of the weight; none where the input has been seen
    key: str | None = None  # of the module's input that an activation is, see `flaxnet.tap_inputs`; None: of none


CONSTANT, ACTIVATION = Value(False), Value(True)
NO_WEIGHT = 0
"""In place of the number of a weight: a product of two activations."""


class Use(NamedTuple):
    """One place where a net uses a weight, or multiplies two activations."""

    weight: int  # its number, from 1; NO_WEIGHT for two activations
    kind: Literal["multiplied", "looked up", "picked"]  # picked: looked up, at places that the input does not change
    shared: frozenset[int] | None  # axes that are summed over, or whose entries are looked up together; None: not known
    macs: int = 0  # charged to this weight, of one example
    loop: str = ""  # the operation that repeats it, where the jaxpr does not say how often
    inputs: tuple[str | None, ...] = ()  # of two activations: the keys of the modules' inputs that they are


def walk(jaxpr: Any, inputs: Sequence[Value]) -> tuple[list[Value], list[Use]]:
    """Returns what the outputs of a jaxpr are made of, and all uses in it in the order in which they run.

    Args:
      jaxpr: closed over its constants or not.
      inputs: what each of its inputs is made of.
    """
    jaxpr = opened(jaxpr)
    env, uses = dict(zip(jaxpr.invars, inputs, strict=True)), []

    def look(v):
        return CONSTANT if isinstance(v, Constant) else env.get(v, CONSTANT)

    for eqn in jaxpr.eqns:
        outputs, new = _equation(eqn, [look(v) for v in eqn.invars])
        env.update(zip(eqn.outvars, outputs, strict=True))
        uses += new
    return [look(v) for v in jaxpr.outvars], uses


def _equation(eqn: Any, inputs: list[Value]) -> tuple[list[Value], list[Use]]:
    name = eqn.primitive.name
    if name in _PRODUCTS:
        return _outputs(eqn, inputs, _lost), _multiplied(eqn, inputs)
    if name in ("gather", "dynamic_slice"):
        return _outputs(eqn, inputs, followed), _looked_up(eqn, inputs)
    if name in _BY_ITSELF:
        return inputs, []
    if name == NOTE and inputs[0].of_input:
        return [Value(True, key=eqn.params["note"])], []
    if name in _HIGHER:
        return _HIGHER[name](eqn, inputs)
    inner = [p for p in eqn.params.values() if isinstance(p, ClosedJaxpr | Jaxpr)]
    if len(inner) == 1 and fits(inner[0], eqn):
        return walk(inner[0], inputs)
    if not inner:
        return _outputs(eqn, inputs, followed), []
    uses = [use for jaxpr in inner for use in walk(jaxpr, [CONSTANT] * len(opened(jaxpr).invars))[1]]
    return _outputs(eqn, inputs, _lost), [use._replace(loop=name) for use in uses]


_BY_ITSELF = {"optimization_barrier", "device_put"}
"""Operations that hand each operand on as it is."""


_MOVES = {"transpose", "reshape", "broadcast_in_dim", "squeeze"}
"""Operations whose result is still the module's input that their first operand is."""


def _outputs(eqn: Any, inputs: list[Value], follow: Callable[[Any, int, View], list[View]]) -> list[Value]:
    """Returns what the outputs of a plain equation are made of: each of all operands."""
    if any(value.of_input for value in inputs):
        return [inputs[0] if eqn.primitive.name in _MOVES else ACTIVATION] * len(eqn.outvars)
    outputs = [{} for _ in eqn.outvars]
    for i, value in enumerate(inputs):
        for weight, view in value.views.items():
            for output, new in zip(outputs, follow(eqn, i, view), strict=True):
                output[weight] = merged(output.get(weight), new)
    return [Value(False, output) for output in outputs]


def _lost(eqn: Any, operand: int, view: View) -> list[View]:
    """Returns that the weight is followed into no output."""
    return [None] * len(eqn.outvars)


def _either(values: Iterable[Value]) -> Value:
    """Returns what a value is made of that may be any of `values`."""
    views = {}
    for value in values:
        if value.of_input:
            return ACTIVATION
        for weight, view in value.views.items():
            views[weight] = merged(views.get(weight), view)
    return Value(False, views)


def _multiplied(eqn: Any, inputs: list[Value]) -> list[Use]:
    """Returns one use of each weight in the two factors; the largest, which has the highest number, is charged."""
    macs, contracted = _PRODUCTS[eqn.primitive.name]
    uses = {}
    for value, dimensions in zip(inputs, contracted(eqn), strict=False):
        for weight, view in value.views.items():
            shared = along(view, dimensions)
            known = [axes for axes in (shared, uses.get(weight)) if axes is not None]
            uses[weight] = frozenset().union(*known) if known else None
    charged = max(uses, default=NO_WEIGHT)
    if not uses:
        return [Use(NO_WEIGHT, "multiplied", None, macs(eqn), inputs=tuple(value.key for value in inputs))]
    return [Use(weight, "multiplied", uses[weight], macs(eqn) if weight == charged else 0) for weight in sorted(uses)]


def _looked_up(eqn: Any, inputs: list[Value]) -> list[Use]:
    """Returns one use of each weight in the table: the axes that the indices do not choose from share."""
    table, *indices = inputs
    kind = "looked up" if any(index.of_input for index in indices) else "picked"
    sizes = eqn.params["slice_sizes"]
    shape = eqn.invars[0].aval.shape
    if eqn.primitive.name == "gather":
        numbers = eqn.params["dimension_numbers"]
        chosen = {*numbers.start_index_map, *numbers.operand_batching_dims}
    else:
        chosen = {i for i, n in enumerate(shape) if sizes[i] < n}
    others = [i for i in range(len(shape)) if i not in chosen]
    return [Use(weight, kind, along(view, others)) for weight, view in table.views.items()]


def _scan(eqn: Any, inputs: list[Value]) -> tuple[list[Value], list[Use]]:
    """Counts the body `length` times; what is carried may turn into an activation on the way."""
    body, length = opened(eqn.params["jaxpr"]), eqn.params["length"]
    carries = len(eqn.outvars) - count_sliced(eqn.outvars, body.outvars)
    end = len(inputs) - count_sliced(eqn.invars, body.invars)
    slices = [Value(value.of_input, _each(value, sliced)) for value in inputs[end:]]
    carried, outputs, uses = _settled(body, inputs[: end - carries], inputs[end - carries : end], slices)
    stacks = [Value(value.of_input, _each(value, lambda view: stacked(view, length))) for value in outputs[carries:]]
    return carried + stacks, [use._replace(macs=use.macs * length) for use in uses]


def _while(eqn: Any, inputs: list[Value]) -> tuple[list[Value], list[Use]]:
    """Walks body and condition once: how often they run is not known."""
    body, condition = opened(eqn.params["body_jaxpr"]), opened(eqn.params["cond_jaxpr"])
    carries = len(eqn.outvars)
    start = len(condition.invars) - carries
    carried, _, uses = _settled(body, inputs[start:-carries], inputs[-carries:], [])
    uses = walk(condition, inputs[:start] + carried)[1] + uses
    return carried, [use._replace(loop="while") for use in uses]


def _settled(
    body: Any, constants: list[Value], carried: list[Value], slices: list[Value]
) -> tuple[list[Value], list[Value], list[Use]]:
    """Returns (what is carried, outputs of the body, uses), once another round of the loop adds nothing."""
    while True:
        outputs, uses = walk(body, constants + carried + slices)
        new = [_either(pair) for pair in zip(carried, outputs, strict=False)]
        if new == carried:
            return carried, outputs, uses
        carried = new


def _cond(eqn: Any, inputs: list[Value]) -> tuple[list[Value], list[Use]]:
    """Charges the branch that multiplies most; the others use their weights, too."""
    which, *operands = inputs
    walks = [walk(branch, operands) for branch in eqn.params["branches"]]
    outputs = [_either((Value(which.of_input), *made)) for made in zip(*(made for made, _ in walks), strict=True)]
    totals = [sum(use.macs for use in uses) for _, uses in walks]
    dearest = totals.index(max(totals))
    free = [use._replace(macs=0) for i, (_, uses) in enumerate(walks) if i != dearest for use in uses]
    return outputs, walks[dearest][1] + free


_HIGHER = {"scan": _scan, "while": _while, "cond": _cond}


def _each(value: Value, change: Any) -> dict[int, View]:
    return {weight: change(view) for weight, view in value.views.items()}


def count_sliced(outer: list, inner: list) -> int:
    """Counts the values of a scan of which its body sees one slice.

    It goes by shape, since the names of parameters differ between JAX 0.10 and 0.11.
    """
    return sum(len(o.aval.shape) > len(i.aval.shape) for o, i in zip(outer, inner, strict=True))


def _dot_macs(eqn: Any) -> int:
    lhs, (contracted, _) = eqn.invars[0].aval, eqn.params["dimension_numbers"][0]
    return math.prod(eqn.outvars[0].aval.shape) * math.prod(lhs.shape[axis] for axis in contracted)


def _conv_macs(eqn: Any) -> int:
    """Counts along each axis of space the fewer of input and output positions."""
    lhs, rhs, out = (v.aval.shape for v in (*eqn.invars, eqn.outvars[0]))
    numbers = eqn.params["dimension_numbers"]
    pairs = zip(numbers.lhs_spec[2:], numbers.out_spec[2:], strict=True)
    return out[numbers.out_spec[0]] * math.prod(min(lhs[i], out[o]) for i, o in pairs) * math.prod(rhs)


def _conv_contracted(eqn: Any) -> tuple[Sequence[int], Sequence[int]]:
    numbers = eqn.params["dimension_numbers"]
    return numbers.lhs_spec[1:], numbers.rhs_spec[1:]


_PRODUCTS = {
    "dot_general": (_dot_macs, lambda eqn: eqn.params["dimension_numbers"][0]),
    "conv_general_dilated": (_conv_macs, _conv_contracted),
}
"""What multiplies: its multiply-accumulates, and the dimensions of both factors that are summed over."""


def opened(jaxpr: Any) -> Any:
    """Returns `jaxpr` without the constants it may be closed over (JAX 0.11 has one class for both)."""
    return getattr(jaxpr, "jaxpr", jaxpr)


def fits(jaxpr: Any, eqn: Any) -> bool:
    """Returns whether `jaxpr` is simply what a call runs: jit, remat, custom derivatives."""
    jaxpr = opened(jaxpr)
    return (len(jaxpr.invars), len(jaxpr.outvars)) == (len(eqn.invars), len(eqn.outvars))
