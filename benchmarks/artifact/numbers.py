"""How a list of unsigned integers is stored.

Packed   all of the same width (see `bits.py`)
Rice     low bits and unary (see `rice.py`)
Cells    entropy-coded cells of a table of its own, and bits within the cell (see `cells.py`, `rans.py`)
"""

from typing import NamedTuple

import numpy as np

from benchmarks.artifact import rans, rice
from benchmarks.artifact.bits import pack, pack_each, packed_bytes, unpack, unpack_each
from benchmarks.artifact.body import Sink, Source, number
from benchmarks.artifact.cells import cells, firsts, fold, octaves, unfold
from benchmarks.artifact.table import LEVEL_BITS, SYMBOLS, TOTAL_BITS, frequencies, levels

GRAINS = range(8)
"""In the finest, 256 numbers have a cell of their own."""


class Packed(NamedTuple):
    """Numbers of one width; the leaf says which."""

    bits: int

    def describe(self, sink: Sink) -> None:
        """Describes nothing: all that matters follows from the leaf."""

    def write(self, numbers: np.ndarray, sink: Sink) -> None:
        """Writes numbers, unsigned integers [N]."""
        sink.plain(pack(numbers, self.bits))

    def read(self, count: int, source: Source) -> np.ndarray:
        """Returns the numbers, unsigned integers [count]."""
        return unpack(source.take(packed_bytes(count, self.bits)), self.bits, count)


class Rice(NamedTuple):
    """Numbers in Rice code."""

    low: int  # number of low bits
    unary: int  # bytes of the unary stream

    def describe(self, sink: Sink) -> None:
        """Describes the fields."""
        sink.number(self.low)
        sink.number(self.unary)

    def write(self, numbers: np.ndarray, sink: Sink) -> None:
        """Writes numbers, unsigned integers [N]."""
        for stream in rice.encode(numbers, self.low):
            sink.plain(stream)

    def read(self, count: int, source: Source) -> np.ndarray:
        """Returns the numbers, int64 [count]."""
        unary = source.take(self.unary)
        return rice.decode(unary, source.take(packed_bytes(count, self.low)), self.low, count)


class Cells(NamedTuple):
    """Entropy-coded numbers."""

    centre: int  # of the fold, and
    bits: int  # of a number; the leaf says which
    grain: int
    size: int  # of the table

    def describe(self, sink: Sink) -> None:
        """Describes grain and size - 1."""
        sink.number(self.grain)
        sink.number(self.size - 1)

    def write(self, numbers: np.ndarray, sink: Sink) -> None:
        """Writes numbers, unsigned integers [N]."""
        folded = fold(numbers, self.centre, self.bits)
        own = cells(folded, self.grain)
        sink.coded(own, levels(np.bincount(own)))
        sink.plain(pack_each(folded - firsts(own, self.grain), octaves(own, self.grain)))

    def read(self, count: int, source: Source) -> np.ndarray:
        """Returns the numbers, int64 [count]."""
        own = source.symbols().astype(np.int64)
        widths = octaves(own, self.grain)
        if widths.max(initial=0) > 32:
            raise ValueError(f"a cell is {widths.max()} bits wide, more than 32")
        rest = unpack_each(source.take(packed_bytes(int(widths.sum()), 1)), widths)
        numbers = unfold(firsts(own, self.grain) + rest, self.centre, self.bits)
        if numbers.size and not 0 <= numbers.min() <= numbers.max() < 2**self.bits:
            raise ValueError(f"codes from {numbers.min()} to {numbers.max()} do not fit in {self.bits} bits")
        return numbers


Coding = Packed | Rice | Cells


def packed(count: int, bits: int) -> tuple[float, Packed]:
    """Returns the bytes of `count` numbers of a width, and the coding."""
    return packed_bytes(count, bits), Packed(bits)


def riced(numbers: np.ndarray) -> tuple[float, Rice]:
    """Returns the bytes of numbers in Rice code, unsigned integers [N], and the coding."""
    low, unary = rice.best(numbers)
    return 1 + len(number(unary)) + unary + packed_bytes(numbers.size, low), Rice(low, unary)


def celled(numbers: np.ndarray, centre: int, bits: int) -> tuple[float, Cells]:
    """Returns the bytes of entropy-coded numbers, and the coding, of the best grain.

    Args:
        numbers: unsigned integers [N > 0] below 2**bits.
        centre: around which they are folded.
        bits: of a number.
    """
    seen, counts = np.unique(numbers, return_counts=True)
    folded, sizes = fold(seen, centre, bits), []
    for grain in GRAINS:
        own = cells(folded, grain)
        if own.max() >= SYMBOLS:
            break
        total = np.bincount(own, counts).astype(np.int64)
        known = levels(total)
        each = TOTAL_BITS - np.log2(np.maximum(frequencies(known), 1))
        sizes.append((2 + (total @ each + counts @ octaves(own, grain) + known.size * LEVEL_BITS) / 8, known.size))
    grain = min(range(len(sizes)), key=sizes.__getitem__)
    return sizes[grain][0] + rans.share(numbers.size), Cells(centre, bits, grain, sizes[grain][1])


def read_rice(source: Source) -> Rice:
    """Returns the coding that `Rice.describe` described."""
    low, unary = source.number(), source.number()
    if low > 32:
        raise ValueError(f"gaps have at most 32 low bits, not {low}")
    return Rice(low, unary)


def read_cells(source: Source, centre: int, bits: int, count: int) -> Cells:
    """Returns the coding that `Cells.describe` described.

    Args:
        source: stands there.
        centre: of the fold.
        bits: of a number.
        count: of numbers.
    """
    coding = Cells(centre, bits, source.number(), source.number() + 1)
    if coding.grain not in GRAINS:
        raise ValueError(f"cells have a grain from 0 to {GRAINS[-1]}, not {coding.grain}")
    source.expect(count, coding.size)
    return coding
