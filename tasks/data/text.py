"""A text as rows of windows, for models that predict the next token."""

import numpy as np

from tasks.base import Arrays

RUN = 16
"""Windows of a text that depend on each other."""


def windows(tokens: np.ndarray, length: int, every: int) -> np.ndarray:
    """Returns windows [N, length] of tokens [M], a copy.

    Args:
        tokens: [M] int32.
        length: tokens of a window, at most M.
        every: tokens from the start of a window to the start of the next; the first starts at 0.
    """
    return np.lib.stride_tricks.sliding_window_view(tokens, length)[::every].copy()


def runs(arrays: Arrays) -> np.ndarray:
    """Returns the number, int [N], of the run of RUN windows that each window of a text belongs to.

    Neighbours share a subject and its words, so that errors on them depend on each other.
    """
    return np.arange(len(arrays["tokens"])) // RUN


def rows(train: np.ndarray, valid: np.ndarray, test: np.ndarray, length: int) -> tuple[Arrays, Arrays, Arrays]:
    """Returns tokens [N, T + 1] of valid and test: windows whose targets meet end to end; what is left is left out.

    In train they are [N, 2T + 1]: row i starts at token i·T and holds a window for each shift 0..T-1.

    Args:
        train: [M] int32 tokens.
        valid: the same of valid.
        test: the same of test.
        length: T, tokens predicted per window.
    """

    def leaf(tokens: np.ndarray, span: int) -> Arrays:
        return {"tokens": windows(tokens, span, length)}

    return leaf(train, 2 * length + 1), leaf(valid, length + 1), leaf(test, length + 1)
