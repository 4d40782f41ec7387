"""What an engine does on the way: elementwise work, by the operation before it or the reduction after it."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

_ELEMENTWISE = (
    "abs acos acosh add add_any and asin asinh atan atan2 atanh cbrt ceil clamp convert_element_type cos cosh div eq "
    "erf erf_inv erfc exp exp2 expm1 floor ge gt integer_pow is_finite le log log1p logistic lt max min mul ne neg "
    "nextafter not or pow reduce_precision rem round rsqrt select_n sign sin sinh sqrt square sub tan tanh xor"
)
ELEMENTWISE = frozenset(_ELEMENTWISE.split())
"""Primitives that work on each element by itself; one that is not among them is taken for an operation of its own."""


class Operation(NamedTuple):
    """What a program does at a time: numbers of the values that it reads and makes, in the order of their making."""

    name: str
    reads: frozenset[int]
    makes: tuple[int, ...]
    inside: int = 0  # bytes that it holds besides while it runs
    elementwise: bool = False


def readers_of(operations: Sequence[Operation]) -> dict[int, set[int]]:
    """Returns the places of the operations that read each value."""
    readers = defaultdict(set)
    for place, operation in enumerate(operations):
        for value in operation.reads:
            readers[value].add(place)
    return readers


def done_by(operations: Sequence[Operation], elements: Sequence[int], kept: Collection[int]) -> list[int]:
    """Returns, for each operation, the place of the one that does it on the way, its own if none does.

    Args:
      operations: in the order in which they run.
      elements: how many each value has.
      kept: values that are stored in any case.
    """
    readers = readers_of(operations)
    home = _forwards(operations, readers, elements, kept)
    maker = {value: place for place, operation in enumerate(operations) for value in operation.makes}
    for place, operation in enumerate(operations):
        if not operation.elementwise or home[place] != place:
            continue
        members = [j for j in range(place + 1) if home[j] == place]
        made = {value for j in members for value in operations[j].makes}
        newest = max({value for j in members for value in operations[j].reads} - made)
        alone = newest not in kept and all(home[j] == place for j in readers[newest])
        same = elements[newest] == elements[operation.makes[0]]
        if alone and same and not operations[maker[newest]].elementwise:
            for j in members:
                home[j] = maker[newest]
    return home


def _forwards(
    operations: Sequence[Operation], readers: dict[int, set[int]], elements: Sequence[int], kept: Collection[int]
) -> list[int]:
    """Moves elementwise work into the one operation that all that read its result end up in."""
    home = list(range(len(operations)))
    for place in reversed(range(len(operations))):
        if not operations[place].elementwise:
            continue
        (made,) = operations[place].makes
        homes = {home[j] for j in readers[made]}
        if made not in kept and len(homes) == 1 and all(_takes(operations[j], made, elements) for j in readers[made]):
            home[place] = homes.pop()
    return home


def _takes(reader: Operation, operand: int, elements: Sequence[int]) -> bool:
    """Returns whether an operation can work out an operand while it reads it."""
    if reader.elementwise:
        return elements[reader.makes[0]] == elements[operand]
    return reader.name.startswith(("reduce_", "arg"))
