"""The most that a program holds at once of what it computes, from its jaxpr: the same on every machine and compiler.

The rules, those of an engine that runs one operation after another:

- What is made of weights and constants alone costs nothing: it is a weight, or is folded into one.
- A view costs nothing: a reshape, transpose, broadcast or slice holds what it looks at.
- Elementwise work is done on the way, by the operation that makes its newest operand, if nothing else reads that, or
  by the reduction that reads its result. What lies between is not stored; an input comes as what is made of it so.
- All else is stored from the operation that makes it to the last one that reads it; inputs from the start, results to
  the end. An operation holds its operands and its results at once.
- A call is what it calls; a branch that depends on the platform is the default one, any other the one that holds most;
  a loop holds what goes in and comes out and, with what is carried, one run of its body.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr
from jax.extend.core import Literal as Number

from benchmarks.measure.fusion import ELEMENTWISE, Operation, done_by, readers_of
from methods.uses.notes import NOTE
from methods.uses.walk import count_sliced, fits, opened

_VIEWS = (
    "broadcast_in_dim copy copy_p expand_dims optimization_barrier reshape slice split squeeze stop_gradient transpose"
)
VIEWS = frozenset(_VIEWS.split())


class Constant(NamedTuple):
    """A value made of weights and constants alone."""


class Place(NamedTuple):
    """A value that depends on the input."""

    number: int  # in the order in which values are made


Value = Constant | Place


class Program:
    """A jaxpr as a list of operations, calls inlined, and the size of each value."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.elements: list[int] = []
        self.bits: list[int] = []  # of the whole value
        self.kept: set[int] = set()  # that may not be passed on: results, and what is held elsewhere

    def place(self, shape: Sequence[int], bits: int) -> Place:
        """Returns a new value of so many bits an element."""
        self.elements.append(int(np.prod(shape, dtype=np.int64)))
        self.bits.append(bits * self.elements[-1])
        return Place(len(self.bits) - 1)

    def held(self, variable: Any) -> Place:
        """Returns a value that is stored elsewhere, outside of a loop or a branch."""
        place = self.place(variable.aval.shape, 0)
        self.kept.add(place.number)
        return place

    def do(
        self, name: str, reads: Sequence[Value], made: Sequence[Any], *, bits: int | None = None, inside: int = 0
    ) -> list[Place]:
        """Adds an operation and returns the values that it makes.

        Args:
          name: of its primitive.
          reads: its operands.
          made: variables of the jaxpr that stand for its results.
          bits: of an element of these, where they are rounded; None for those of their dtype.
          inside: bytes that it holds besides while it runs.
        """
        makes = [self.place(v.aval.shape, bits or 8 * v.aval.dtype.itemsize) for v in made]
        numbers = frozenset(v.number for v in reads if isinstance(v, Place))
        elementwise = bits is not None or name in ELEMENTWISE
        self.operations.append(Operation(name, numbers, tuple(v.number for v in makes), inside, elementwise))
        return makes

    def run(self, jaxpr: Any, inputs: Sequence[Value]) -> list[Value]:
        """Adds what `jaxpr` does and returns its results."""
        jaxpr = opened(jaxpr)
        known = dict(zip(jaxpr.invars, inputs, strict=True))

        def look(v):
            return Constant() if isinstance(v, Number) else known.get(v, Constant())

        for equation in jaxpr.eqns:
            results = self._equation(equation, [look(v) for v in equation.invars])
            known.update(zip(equation.outvars, results, strict=True))
        return [look(v) for v in jaxpr.outvars]

    def _equation(self, equation: Any, inputs: list[Value]) -> Sequence[Value]:
        name, made = equation.primitive.name, equation.outvars
        if not any(isinstance(v, Place) for v in inputs):
            return [Constant()] * len(made)
        if name == NOTE:
            return self.do(name, inputs, made, bits=equation.params["note"])
        if name in VIEWS:
            return inputs[: len(made)] if name == "optimization_barrier" else [inputs[0]] * len(made)
        if name == "cond":
            return self._cond(equation, inputs)
        if name == "scan":
            return self._scan(equation, inputs)
        inner = [p for p in equation.params.values() if isinstance(p, ClosedJaxpr | Jaxpr)]
        if name != "while" and len(inner) == 1 and fits(inner[0], equation):
            return self.run(inner[0], inputs)
        inside = [_peak_inside(body, [_Carried()] * len(opened(body).invars)) for body in inner]
        return self.do(name, inputs, made, inside=max(inside, default=0))

    def _cond(self, equation: Any, inputs: list[Value]) -> Sequence[Value]:
        branches, platforms = equation.params["branches"], equation.params.get("branches_platforms")
        if platforms and None in platforms:
            return self.run(branches[platforms.index(None)], inputs[1:])
        inside = max(_peak_inside(branch, inputs[1:]) for branch in branches)
        return self.do("cond", inputs, equation.outvars, inside=inside)

    def _scan(self, equation: Any, inputs: list[Value]) -> Sequence[Value]:
        body = opened(equation.params["jaxpr"])
        carries = len(equation.outvars) - count_sliced(equation.outvars, body.outvars)
        end = len(inputs) - count_sliced(equation.invars, body.invars)
        given = [*inputs[: end - carries], *[_Carried()] * carries, *inputs[end:]]
        return self.do("scan", inputs, equation.outvars, inside=_peak_inside(body, given))

    def peak(self, results: Sequence[Value]) -> int:
        """Returns the most bytes that are stored at once, given the values that come out at the end."""
        self.kept |= {v.number for v in results if isinstance(v, Place)}
        readers, home = readers_of(self.operations), done_by(self.operations, self.elements, self.kept)
        stored = np.zeros(len(self.operations) + 1, np.int64)
        end = len(self.operations) - 1
        for i, operation in enumerate(self.operations):
            stored[home[i]] += 8 * operation.inside
            stored[home[i] + 1] -= 8 * operation.inside
            for number in operation.makes:
                read = [home[j] for j in readers[number]]
                if number not in self.kept and read and all(j == home[i] for j in read):
                    continue  # passed on
                stored[home[i]] += self.bits[number]
                stored[(end if number in self.kept else max(read, default=home[i])) + 1] -= self.bits[number]
        return -(-int(np.cumsum(stored).max()) // 8)


class _Carried(NamedTuple):
    """An input of a loop's body that is stored inside."""


def _peak_inside(jaxpr: Any, inputs: Sequence[Any]) -> int:
    """The bytes that a body or a branch holds besides what is held outside: its operands and its results."""
    jaxpr, program = opened(jaxpr), Program()
    carried = [v for v, given in zip(jaxpr.invars, inputs, strict=True) if isinstance(given, _Carried)]
    own = iter(program.do("carry", (), carried))
    given = [
        next(own) if isinstance(value, _Carried) else value if isinstance(value, Constant) else program.held(v)
        for v, value in zip(jaxpr.invars, inputs, strict=True)
    ]
    results = program.run(jaxpr, given)
    for value in results:
        if isinstance(value, Place):
            program.bits[value.number] = 0
    return program.peak(results)
