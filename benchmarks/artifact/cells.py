"""Unsigned integers as symbols of a small alphabet: the cell in which a number lies, and where in the cell.

A number of [0, 2^bits) is first folded around a centre, so that what is near it is small: the centre becomes 0, the one
above 1, the one below 2, and so on; where one side has ended, the other goes on alone. Small folded numbers have cells
of their own; from 2^(grain + 1) on, each octave is cut into 2^grain equal cells. Only the cell is entropy-coded, the
rest is bits as they are: if a histogram is a bell around the centre or decays, the numbers of a cell are about equally
frequent.
"""

import numpy as np


def fold(numbers: np.ndarray, centre: int, bits: int) -> np.ndarray:
    """Returns int64 [N]: a permutation of [0, 2**bits) that sorts by the distance from the centre.

    Args:
        numbers: integers [N] in [0, 2**bits).
        centre: one of these.
        bits: of a number.
    """
    distance, both = numbers.astype(np.int64) - centre, _both(centre, bits)
    far = np.abs(distance)
    return np.where(far > both, far + both, 2 * far - (distance > 0))


def unfold(folded: np.ndarray, centre: int, bits: int) -> np.ndarray:
    """Returns the numbers, int64 [N], that `fold` took.

    Args:
        folded: int64 [N]; what is no number of [0, 2**bits) comes back as another such.
        centre: as it was folded.
        bits: of a number.
    """
    both = _both(centre, bits)
    near = np.where(folded & 1, (folded + 1) >> 1, -(folded >> 1))
    far = (folded - both) * (1 if both == centre else -1)
    return centre + np.where(folded > 2 * both, far, near)


def _both(centre: int, bits: int) -> int:
    """Returns up to which distance there are numbers on both sides."""
    return min(centre, 2**bits - 1 - centre)


def cells(folded: np.ndarray, grain: int) -> np.ndarray:
    """Returns the cell of each folded number, int64 [N]."""
    octave = np.maximum(np.frexp(folded.astype(np.float64))[1] - 1 - grain, 0)
    return (folded >> octave) + (octave << grain)


def octaves(cells: np.ndarray, grain: int) -> np.ndarray:
    """Returns how many bits say where in its cell a number lies, int64 [N]."""
    return np.maximum((cells >> grain) - 1, 0)


def firsts(cells: np.ndarray, grain: int) -> np.ndarray:
    """Returns the least folded number of each cell, int64 [N]."""
    octave = octaves(cells, grain)
    return (cells - (octave << grain)) << octave
