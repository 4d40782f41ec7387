"""A character n-gram model with Witten-Bell smoothing: what a language model without a net achieves."""

import numpy as np


def bits_per_character(train: np.ndarray, test: np.ndarray, *, order: int, vocabulary: int) -> float:
    """Returns the mean -log2 p of the tokens of `test` by an n-gram model of the tokens of `train`.

    Interpolated from the uniform distribution up, for contexts h of 0, 1, .., order - 1 tokens (Witten & Bell 1991):
    p(w | h) = (c(h, w) + d(h) · p(w | shorter h)) / (c(h) + d(h)), with d(h) the number of distinct tokens after h.
    After a context that train lacks, p is that after the shorter one.

    Args:
        train: [N] int tokens in 0..vocabulary - 1.
        test: [M] int tokens in 0..vocabulary - 1.
        order: n, tokens of a context and the one that follows.
        vocabulary: number of different tokens.
    """
    p = np.full(len(test), 1 / vocabulary)
    for n in range(1, order + 1):
        counts = np.bincount(_grams(train, n, vocabulary), minlength=vocabulary**n).reshape(-1, vocabulary)
        grams = _grams(test, n, vocabulary)  # the first n - 1 tokens have no context so long
        total, distinct = counts.sum(1)[grams // vocabulary], (counts > 0).sum(1)[grams // vocabulary]
        seen = (counts.ravel()[grams] + distinct * p[n - 1 :]) / np.maximum(total + distinct, 1)
        p[n - 1 :] = np.where(total > 0, seen, p[n - 1 :])
    return float(-np.log2(p).mean())


def _grams(tokens, n, vocabulary):
    """Each run of n tokens as one number in base `vocabulary`, the last token last; [len(tokens) - n + 1]."""
    columns = np.lib.stride_tricks.sliding_window_view(tokens.astype(np.int64), n)
    return columns @ vocabulary ** np.arange(n)[::-1]
