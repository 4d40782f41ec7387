"""Student's t, Holm's correction of many tests, and what may still be where nothing was seen. Every p is two-sided."""

from collections.abc import Sequence

import numpy as np
from scipy import special

RISK = 0.05
"""Told apart where the corrected p is below it; intervals hold 1 - RISK."""
MOST_DF = 1e9  # where Student's t is the normal to all digits


def t_tail(mean: float, error: float, df: float) -> float:
    """Returns the p of a t test that a mean is zero; 1 where there is no error to judge it by.

    Args:
        mean: estimate.
        error: its standard error.
        df: degrees of freedom, no whole number in general.
    """
    if not error:
        return 1.0
    return min(1.0, 2 * float(special.stdtr(min(df, MOST_DF), -abs(mean / error))))


def t_quantile(df: float, risk: float = RISK / 2) -> float:
    """Returns the t that is exceeded with this risk. `df`: degrees of freedom, no whole number in general."""
    return float(special.stdtrit(min(df, MOST_DF), 1 - risk))


def unseen(n: int, risk: float) -> float:
    """Returns the upper bound of a share of which no case was seen among n: 1 - risk^(1/n) (Clopper & Pearson 1934)."""
    return 1 - risk ** (1 / n)


def holm(ps: Sequence[float]) -> list[float]:
    """Returns p-values corrected for the whole family (Holm 1979).

    The i-th smallest of m becomes the maximum over j ≤ i of (m - j + 1) · p_(j), at most 1. Those below RISK are told
    apart, with at most that risk of any false alarm in the family.
    """
    family = np.asarray(ps, float)
    order = np.argsort(family, kind="stable")
    corrected = np.empty_like(family)
    corrected[order] = np.minimum(1, np.maximum.accumulate(family[order] * np.arange(len(family), 0, -1)))
    return corrected.tolist()
