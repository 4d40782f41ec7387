"""Rice codes: the low bits of each number as they are, the rest in unary.

Number n with k low bits is `n >> k` zeros and a one in the unary stream, and its k low bits in the other stream (see
`bits.py`). That is the best prefix code of a geometric distribution, as gaps between independent nonzeros have it
(Golomb 1966; Rice & Plaunt 1971). With no low bits, the unary stream of gaps is the bit mask of what they skip.
"""

import numpy as np

from benchmarks.artifact.bits import pack, packed_bytes, unpack, width


def best(numbers: np.ndarray) -> tuple[int, int]:
    """Returns (low bits, bytes of the unary stream) of the shortest code of unsigned integers [N]."""
    lows = range(width(int(numbers.max(initial=0)) + 1) + 1)
    unary = [numbers.size + int((numbers >> low).sum()) for low in lows]
    low = min(lows, key=lambda low: unary[low] + low * numbers.size)
    return low, packed_bytes(unary[low], 1)


def encode(numbers: np.ndarray, low: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the unary stream and that of the low bits, uint8 each, of unsigned integers [N]."""
    ends = np.cumsum((numbers >> low) + 1) - 1
    unary = np.zeros(int(ends[-1]) + 1 if ends.size else 0, np.uint8)
    unary[ends] = 1
    rest = pack(numbers & ((1 << low) - 1), low) if low else np.zeros(0, np.uint8)
    return np.packbits(unary, bitorder="little"), rest


def decode(unary: np.ndarray, rest: np.ndarray, low: int, count: int) -> np.ndarray:
    """Returns the numbers, int64 [count].

    Args:
        unary: the stream, uint8.
        rest: that of the low bits, uint8 [packed_bytes(count, low)].
        low: number of low bits.
        count: of numbers.

    Raises ValueError if the unary stream does not hold just as many.
    """
    ends = np.flatnonzero(np.unpackbits(unary, bitorder="little"))
    if ends.size != count or unary.size != (int(ends[-1]) // 8 + 1 if count else 0):
        raise ValueError(f"the unary stream does not hold {count} gaps")
    high = np.diff(ends, prepend=-1) - 1
    return (high << low) + (unpack(rest, low, count) if low else 0)
