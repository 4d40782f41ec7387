"""A net run equation by equation, with a stop at each use of a weight: what it multiplies is at hand there.

The weights are looked up when they are used, not before. So one that is replaced at a stop is used as it is from then
on, and the whole net is visited, layer by layer, in a single forward.

Reshapes, transposes, slices and casts of a weight are kept as a recipe (`Moved`) until the product that they lead to.
Calls are entered, the body of a scan is run `length` times, and of a condition the branch that is taken.
"""

from collections.abc import Callable, Container, Generator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr
from jax.extend.core import Literal as Constant

from methods.calibration.products import Product, product_of
from methods.uses.walk import count_sliced, fits, opened


class Moved(NamedTuple):
    """A weight on its way: its numbers are moved, or cast, by one move after another."""

    path: str
    moves: tuple[Callable[[Any], Any], ...] = ()  # array -> array

    def of(self, weight: Any) -> Any:
        """Returns the weight, or any array of its shape, after all moves. Casts leave integers as they are."""
        for move in self.moves:
            weight = move(weight)
        return weight


class Stop(NamedTuple):
    """A use of a weight that comes next."""

    moved: Moved
    product: Product | None  # how it is multiplied; None where it is looked up or cannot be followed
    x: Any  # with what, an array; None without a product
    repeated: bool  # whether a loop may come here again

    @property
    def path(self) -> str:
        """The path of the weight."""
        return self.moved.path


class Weights(NamedTuple):
    """The weights of a run. Both fields may change while it stands still at a stop."""

    now: Mapping[str, jax.Array]  # by path
    stops: Container[str]  # the paths of those at whose uses it stops
    repeated: bool = False  # whether what runs is the body of a loop


Value = Any
"""An array, or a `Moved` in its place."""
Running = Generator[Stop, None, list[Value]]


def run(jaxpr: Any, inputs: Sequence[Value], weights: Weights) -> Running:
    """Yields a `Stop` before each use of a weight; returns the outputs of the jaxpr.

    Args:
      jaxpr: closed over its constants or not.
      inputs: one for each of its inputs: an array, or `Moved(path)` for a weight.
      weights: by path.
    """
    jaxpr, constants = opened(jaxpr), getattr(jaxpr, "consts", ())
    env = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*constants, *inputs), strict=True))

    def look(v):
        return v.val if isinstance(v, Constant) else env[v]

    for eqn, dead in zip(jaxpr.eqns, _dead(jaxpr), strict=True):
        outputs = yield from _equation(eqn, [look(v) for v in eqn.invars], weights)
        env.update(zip(eqn.outvars, outputs, strict=True))
        for v in dead:
            del env[v]
    return [look(v) for v in jaxpr.outvars]


@lru_cache(maxsize=1024)
def _dead(jaxpr: Any) -> list[set]:
    """Returns the variables that no equation after each one reads."""
    read, dead = {v for v in jaxpr.outvars if not isinstance(v, Constant)}, []
    for eqn in reversed(jaxpr.eqns):
        variables = {v for v in (*eqn.invars, *eqn.outvars) if not isinstance(v, Constant)}
        dead.append(variables - read)
        read |= variables
    return dead[::-1]


def _equation(eqn: Any, values: list[Value], weights: Weights) -> Running:
    name = eqn.primitive.name
    inner = [p for p in eqn.params.values() if isinstance(p, ClosedJaxpr | Jaxpr)]
    calls = len(inner) == 1 and fits(inner[0], eqn) and name not in _HIGHER
    if not any(isinstance(value, Moved) for value in values):
        return (yield from run(inner[0], values, weights)) if calls and name != "jit" else _bind(eqn, values)
    if name in _MOVES and not any(isinstance(value, Moved) for value in values[1:]):
        moved = values[0]
        return [moved._replace(moves=(*moved.moves, partial(_move, eqn, values[1:])))]
    if name in _HIGHER:
        return (yield from _HIGHER[name](eqn, values, weights))
    if calls:
        return (yield from run(inner[0], values, weights))
    for i, value in enumerate(values):
        if isinstance(value, Moved):
            if value.path in weights.stops:
                yield _stop(eqn, values, i, weights)
            values[i] = value.of(weights.now[value.path])
    return _bind(eqn, values)


def _stop(eqn: Any, values: Sequence[Value], i: int, weights: Weights) -> Stop:
    """Returns the stop at an equation whose operand `i` is a weight."""
    product = product_of(eqn, i)
    x = values[1 - i] if product else None
    if isinstance(x, Moved):
        product = x = None
    return Stop(values[i], product, x, weights.repeated)


_MOVES = {
    *("broadcast_in_dim", "convert_element_type", "copy", "device_put", "dynamic_slice", "reshape", "rev", "slice"),
    *("squeeze", "stop_gradient", "transpose"),
}
"""Operations that move the numbers of their first operand, or cast them, and do nothing else."""


def _move(eqn: Any, rest: Sequence[Any], array: jax.Array) -> jax.Array:
    casts = eqn.primitive.name == "convert_element_type"
    return array if casts and jnp.issubdtype(array.dtype, jnp.integer) else _bind(eqn, [array, *rest])[0]


def _bind(eqn: Any, values: Sequence[Any]) -> list[Any]:
    outputs = eqn.primitive.bind(*values, **eqn.params)
    return outputs if eqn.primitive.multiple_results else [outputs]


def _scan(eqn: Any, values: list[Value], weights: Weights) -> Running:
    body, length = eqn.params["jaxpr"], eqn.params["length"]
    inner = opened(body)
    carries = len(eqn.outvars) - count_sliced(eqn.outvars, inner.outvars)
    end = len(values) - count_sliced(eqn.invars, inner.invars)
    fixed, carried, sliced = values[: end - carries], values[end - carries : end], values[end:]
    stacks, order = [], range(length)
    for i in reversed(order) if eqn.params["reverse"] else order:
        outputs = yield from run(
            body, [*fixed, *carried, *(_slice(value, i) for value in sliced)], weights._replace(repeated=True)
        )
        carried = outputs[:carries]
        stacks.append([_plain(value, weights) for value in outputs[carries:]])
    stacks = stacks[::-1] if eqn.params["reverse"] else stacks
    return [*carried, *(jnp.stack(stack) for stack in zip(*stacks, strict=True))]


def _slice(value: Value, i: int) -> Value:
    if isinstance(value, Moved):
        return value._replace(moves=(*value.moves, lambda array: array[i]))
    return value[i]


def _plain(value: Value, weights: Weights) -> jax.Array:
    return value.of(weights.now[value.path]) if isinstance(value, Moved) else value


def _cond(eqn: Any, values: list[Value], weights: Weights) -> Running:
    """Runs the branch that is taken; of branches for platforms, the one for all others: it says what is computed."""
    which, *operands = values
    branches, platforms = eqn.params["branches"], eqn.params.get("branches_platforms")
    taken = platforms.index(None) if platforms and None in platforms else int(np.clip(which, 0, len(branches) - 1))
    return (yield from run(branches[taken], operands, weights))


_HIGHER = {"scan": _scan, "cond": _cond}
