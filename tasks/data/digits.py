"""scikit-learn's 1,797 handwritten digits of 8 × 8 pixels (UCI Optical Recognition of Handwritten Digits, 1998)."""

import functools
from typing import Any

import numpy as np

from tasks.base import Data, pooled

PERIOD = 9  # prime to 10: the first images of each writer are 0, 1, …, 9 again and again
TEST, VALID = (0, 1), (2,)  # image number mod PERIOD


@functools.cache
def load() -> Data:
    """Returns x [N, 8, 8, 1] float32 in [0, 1] and y [N] int32, the digit.

    Images are split by their number mod 9: 0 and 1 are test, 2 is valid, the rest is train.
    """
    from sklearn.datasets import load_digits  # here, since it takes a second to import

    raw: Any = load_digits()  # a Bunch; its type also allows for the tuple that another option returns
    x = (raw.images / 16).astype(np.float32)[..., None]
    y = raw.target.astype(np.int32)
    part = np.arange(len(x)) % PERIOD
    test, valid = np.isin(part, TEST), np.isin(part, VALID)
    train, valid, test = ({"x": x[rows], "y": y[rows]} for rows in (~(test | valid), valid, test))
    return pooled(train, valid, test)
