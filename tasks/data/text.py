"""A text as rows of windows, for models that predict the next token."""

import numpy as np

from tasks.base import Arrays


def windows(tokens: np.ndarray, length: int, every: int) -> np.ndarray:
    """Windows [N, length] of tokens [M], the first at 0, then one `every` tokens."""
    return np.lib.stride_tricks.sliding_window_view(tokens, length)[::every].copy()


def rows(train: np.ndarray, valid: np.ndarray, test: np.ndarray, length: int) -> tuple[Arrays, Arrays, Arrays]:
    """tokens [N, T + 1] in valid and test: windows whose targets meet end to end; the rest of the text is left out.

    In train [N, 2T + 1]: row i starts at token i·T and holds a window for each shift 0..T-1. T: `length`.
    """
    spans = ((train, 2 * length + 1), (valid, length + 1), (test, length + 1))
    train, valid, test = ({"tokens": windows(tokens, span, length)} for tokens, span in spans)
    return train, valid, test
