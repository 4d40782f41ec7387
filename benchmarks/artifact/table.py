"""How often each symbol of an alphabet occurs, in 6 bits each.

A symbol's level stands for its weight: 0 for one that does not occur; from 1 on 4, 5, 6, 7, 8, 10, 12, 14, 16, …, four
steps an octave up to 6 · 2¹⁵, which is the most frequent symbol's. That is within 12 % of the exact weight and costs
about 0.002 bits a symbol. Weights are scaled to frequencies that sum to TOTAL. All of it is in integers, so that every
machine decodes the same.
"""

import numpy as np

SYMBOLS = 256
"""Size of the largest alphabet."""
LEVEL_BITS = 6
TOTAL_BITS = 12
TOTAL = 1 << TOTAL_BITS

_STEPS = np.arange((1 << LEVEL_BITS) - 1)
WEIGHTS = np.concatenate([[0], (4 + _STEPS % 4) << (_STEPS // 4)])
"""By level, int64 [64]."""


def levels(counts: np.ndarray) -> np.ndarray:
    """Returns the level of each symbol, int64 [S], of which `counts`, integers [S], says how often it occurs."""
    scaled = counts.astype(np.int64) * int(WEIGHTS[-1]) // max(1, int(counts.max(initial=0)))
    nearest = np.searchsorted((WEIGHTS[1:-1] + WEIGHTS[2:]) // 2, scaled) + 1
    return np.where(counts > 0, nearest, 0)


def frequencies(levels: np.ndarray) -> np.ndarray:
    """Returns the frequency of each symbol, int64 [S], of which the sum is TOTAL; 0 at level 0.

    Raises ValueError if there is no symbol.
    """
    weights = WEIGHTS[levels]
    if not weights.any():
        raise ValueError("a table of frequencies is empty")
    shares = np.where(weights > 0, np.maximum(weights * TOTAL // weights.sum(), 1), 0)
    shares[np.argmax(shares)] += max(TOTAL - shares.sum(), 0)
    for _ in range(shares.sum() - TOTAL):  # by the rare ones, whose share is rounded up
        shares[np.argmax(shares)] -= 1
    return shares
