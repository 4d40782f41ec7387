"""A list of unsigned integers, stored in whichever form takes fewest bytes.

    dense    all values
    sparse   those that are not the middle, a value that the leaf names, and the gap before each of them

Gaps are Rice codes or entropy-coded (Han et al. 2016, arXiv 1510.00149, §2-4); values are packed or, where the leaf
allows it, entropy-coded. The form is a number: 0 dense, 1 sparse by Rice codes, 2 sparse by entropy-coded gaps; + 4 if
values are entropy-coded. The rest of the description is, as far as the form has it,

    sparse       number of kept values, how gaps are coded
    coded        how values are coded
"""

from typing import Any, NamedTuple

import numpy as np

from benchmarks.artifact.body import Sink, Source, number
from benchmarks.artifact.numbers import Cells, Coding, Packed, Rice, celled, packed, read_cells, read_rice, riced

SPARSE, RICE, CODED = 3, 1, 4
"""Of a form: which bits say whether it is sparse, what they are with Rice codes, and whether values are coded."""


class Values(NamedTuple):
    """What the description of a list says; None where the form does not have it."""

    count: int
    middle: int
    kept: int | None
    gaps: Coding | None
    coding: Coding


def median(values: np.ndarray, bits: int) -> int:
    """Returns the median, the lower one of two; 0 of nothing. Raises ValueError if a value does not fit in `bits`."""
    if not values.size:
        return 0
    if not 0 <= values.min() <= values.max() < 2**bits:
        raise ValueError(f"codes from {values.min()} to {values.max()} do not fit in {bits} bits")
    return int(np.partition(values, (values.size - 1) // 2)[(values.size - 1) // 2])


def smallest(values: np.ndarray, middle: int, bits: int, *, coded: bool) -> tuple[int, list[tuple[Coding, np.ndarray]]]:
    """Returns the form of fewest bytes, and what it stores: gaps if it is sparse, then values, each with its coding.

    Args:
        values: unsigned integers [N] below 2**bits.
        middle: the value that a sparse form leaves out.
        bits: of a value.
        coded: whether values may be entropy-coded.
    """
    where = np.flatnonzero(values != middle)
    kept, gaps = values[where], np.diff(where, prepend=-1) - 1
    size, dense = _coding(values, middle, bits, coded)
    sparse_size, sparse = _coding(kept, middle, bits, coded)
    gaps_size, placed = _smaller([riced(gaps), *([celled(gaps, 0, 32)] if gaps.size else [])])
    if size <= sparse_size + gaps_size + len(number(where.size)):
        return CODED * isinstance(dense, Cells), [(dense, values)]
    form = RICE if isinstance(placed, Rice) else RICE + 1
    return form + CODED * isinstance(sparse, Cells), [(placed, gaps), (sparse, kept)]


def _coding(numbers: np.ndarray, middle: int, bits: int, coded: bool) -> tuple[float, Coding]:
    plain = packed(numbers.size, bits)
    return _smaller([plain, celled(numbers, middle, bits)]) if coded and numbers.size else plain


def _smaller(sized: list[tuple[float, Any]]) -> tuple[float, Any]:
    """Returns the one of fewest bytes, the first of equals."""
    return min(sized, key=lambda one: one[0])


def write(parts: list[tuple[Coding, np.ndarray]], sink: Sink) -> None:
    """Adds what `smallest` returned to a body."""
    if len(parts) == 2:
        sink.number(parts[0][1].size)
    for coding, numbers in parts:
        coding.describe(sink)
        coding.write(numbers, sink)


def read(source: Source, form: int, count: int, middle: int, bits: int) -> Values:
    """Returns the next description of a body.

    Args:
        source: stands there.
        form: of the list.
        count: of values.
        middle: the value that a sparse form leaves out.
        bits: of a value.

    Raises ValueError if the description fits no such list.
    """
    if form & SPARSE == SPARSE:
        raise ValueError(f"there is no form {form}")
    kept, gaps = None, None
    if form & SPARSE:
        kept = source.number()
        if kept > count:
            raise ValueError(f"keeps {kept} of {count} values")
        gaps = read_rice(source) if form & SPARSE == RICE else read_cells(source, 0, 32, kept)
    stored = count if kept is None else kept
    return Values(count, middle, kept, gaps, read_cells(source, middle, bits, stored) if form & CODED else Packed(bits))


def restore(values: Values, source: Source) -> np.ndarray:
    """Returns all values, unsigned integers [N]. Raises ValueError if they do not fit their description."""
    count, middle, number_kept, gap_coding, coding = values
    if gap_coding is None or number_kept is None:
        return coding.read(count, source)
    gaps = gap_coding.read(number_kept, source)
    where = np.cumsum(gaps + 1) - 1
    if gaps.max(initial=0) >= count > 0 or (where.size and where[-1] >= count):
        raise ValueError(f"its gaps do not place {number_kept} values among {count}")
    kept = coding.read(number_kept, source)
    restored = np.full(count, middle, kept.dtype)
    restored[where] = kept
    return restored
