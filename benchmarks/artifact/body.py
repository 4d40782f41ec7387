"""The body of an artifact: what describes its weights and grids, then their values.

    description   of each leaf in order of path, of the grids (see `leaf.py`, `grids.py`); last, the number of words
    tables        levels of all entropy-coded lists, 6 bits each
    states        of the entropy coder, 4 bytes each
    words         of the entropy coder, 2 bytes each
    plain values  of each leaf and grid, in the same order

The description is a sequence of numbers, 7 bits a byte from the lowest on, the highest bit set where more follow; a
signed number n is written as 2n, or -2n - 1 below 0. Nothing in it says where something lies: every size follows.
"""

import math
from collections.abc import Iterator

import numpy as np

from benchmarks.artifact import rans
from benchmarks.artifact.bits import pack, packed_bytes, unpack
from benchmarks.artifact.table import LEVEL_BITS, SYMBOLS, frequencies


def number(n: int) -> bytes:
    """Returns the bytes of a number, at least 0, of a description."""
    groups = [n >> shift & 127 for shift in range(0, max(n.bit_length(), 1), 7)]
    return bytes([*(group | 128 for group in groups[:-1]), groups[-1]])


FREE, RATIO = 1 << 24, 1 << 8
"""A file may hold so many values, and for each of its bytes so many more: a crafted one does not take all memory."""


class Sink:
    """Takes in the parts of a body, in order."""

    def __init__(self) -> None:
        self._description = bytearray()
        self._plain = bytearray()
        self._coded: list[tuple[np.ndarray, np.ndarray]] = []

    def number(self, n: int) -> None:
        """Describes by a number, at least 0."""
        self._description += number(n)

    def signed(self, n: int) -> None:
        """Describes by a number of any sign."""
        self.number(2 * n if n >= 0 else -2 * n - 1)

    def coded(self, symbols: np.ndarray, levels: np.ndarray) -> None:
        """Adds symbols [N], at least one, to be entropy-coded by their table of levels [S]."""
        self._coded.append((symbols, levels))

    def plain(self, values: np.ndarray) -> None:
        """Adds the bytes of an array, little-endian."""
        self._plain += values.astype(values.dtype.newbyteorder("<")).tobytes()

    def close(self) -> bytes:
        """Returns the body."""
        levels = [levels for _, levels in self._coded]
        states, words = rans.encode([symbols for symbols, _ in self._coded], [frequencies(own) for own in levels])
        self.number(words.size)
        tables = pack(np.concatenate([np.zeros(0, np.int64), *levels]), LEVEL_BITS)
        coded = tables.tobytes() + states.astype("<u4").tobytes() + words.astype("<u2").tobytes()
        return bytes(self._description) + coded + bytes(self._plain)


class Source:
    """Gives back the parts of a body: first its description, then, once `open` was called, its values.

    Every method raises ValueError where the body ends before what is asked for.
    """

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at
        self._left = FREE + RATIO * len(data)
        self._coded: list[tuple[int, int]] = []
        self._symbols: Iterator[np.ndarray] = iter(())

    def number(self) -> int:
        """Returns the next number of the description; it has at most 63 bits."""
        n = 0
        for shift in range(0, 63, 7):
            if self._at >= len(self._data):
                raise ValueError("ends within its description")
            byte = self._data[self._at]
            self._at += 1
            n |= (byte & 127) << shift
            if byte < 128:
                return n
        raise ValueError("a number of the description has more than 63 bits")

    def signed(self) -> int:
        """Returns the next number, of any sign."""
        n = self.number()
        return -(n + 1) // 2 if n & 1 else n // 2

    def hold(self, shape: tuple[int, ...]) -> None:
        """Notes that an array of this shape is read. Raises ValueError if all of them have too many values."""
        self._left -= math.prod(shape)
        if self._left < 0:
            raise ValueError(f"{len(self._data)} bytes hold no array of shape {shape} beside the others")

    def expect(self, count: int, size: int) -> None:
        """Notes that a list of `count` symbols comes next among those that are coded, by a table of `size` levels."""
        if not 1 <= size <= SYMBOLS or count < 1:
            raise ValueError(f"{count} symbols of an alphabet of {size} cannot be coded")
        self._coded.append((count, size))

    def open(self) -> int:
        """Decodes what is coded; returns how many bytes of values there are."""
        words = self.number()
        begin = self._at
        counts, sizes = [count for count, _ in self._coded], [size for _, size in self._coded]
        levels = unpack(self.take(packed_bytes(sum(sizes), LEVEL_BITS)), LEVEL_BITS, sum(sizes))
        tables = [frequencies(own) for own in np.split(levels, np.cumsum(sizes)[:-1])] if sizes else []
        states = np.frombuffer(self.take(4 * rans.lanes(sum(counts))), "<u4")
        self._symbols = iter(rans.decode(states, np.frombuffer(self.take(2 * words), "<u2"), counts, tables))
        return len(self._data) - begin

    def symbols(self) -> np.ndarray:
        """Returns the next list that was expected, uint8 [count]."""
        return next(self._symbols)

    def take(self, size: int) -> np.ndarray:
        """Returns the next bytes of the values, uint8 [size]."""
        if size > len(self._data) - self._at:
            raise ValueError(f"ends {size - len(self._data) + self._at} bytes too early")
        self._at += size
        return np.frombuffer(self._data, np.uint8, size, self._at - size)

    def array(self, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
        """Returns the next array of the values."""
        size = math.prod(shape) * dtype.itemsize
        return np.frombuffer(self.take(size).tobytes(), dtype).reshape(shape)

    def close(self) -> None:
        """Raises ValueError unless all was read."""
        if self._at != len(self._data):
            raise ValueError(f"{len(self._data) - self._at} bytes follow the last value")
