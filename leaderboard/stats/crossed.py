"""The crossed model: the mean over new seeds and new examples, from every seed's value on every example.

    y[i, j] = μ + seed[i] + unit[j] + rest[i, j]

All effects are random: both the seeds and the test examples are samples, and what is asked is the mean over the
populations they stand for. A unit is an example, or a cluster of examples that depend on each other. This is the
design of readers × cases in which imaging is judged (Dorfman, Berbaum & Metz 1992, Investigative Radiology 27:723).

With n seeds and m units the mean has the variance σ²(seed) / n + σ²(unit) / m + σ²(rest) / nm, which mean squares
estimate without bias as (MS(seed) + MS(unit) - MS(rest)) / nm. A component that is estimated below zero is taken for
zero, so that its mean square drops out together with one MS(rest). Degrees of freedom are Satterthwaite's (1946),
(Σ ± MS)² / Σ (MS² / df), over the mean squares that are left. With one seed it is the t test over units, and the answer
holds for that seed alone.
"""

import math
from typing import NamedTuple

import numpy as np

from leaderboard.stats.summary import ROUNDING


class Estimate(NamedTuple):
    """A mean, its standard error, and the degrees of freedom of that."""

    mean: float
    error: float
    df: float


def crossed(values: np.ndarray, step: float = 0.0) -> Estimate:
    """Returns the mean of values [seeds, units] with the error that the crossed model gives it.

    Args:
        values: of at least one seed and two units.
        step: so much is taken to have been won on one further unit, and lost on another one. Where all but a few units
            are alike, a variance that is measured on these few is too sure (Agresti & Min 2005, Bonett & Price 2012).
    """
    seeds, units = values.shape
    of_unit = values.sum(0) / seeds
    mean = float(of_unit.mean())
    among_units = seeds * _squares(of_unit - mean)
    over_units = (among_units + 2 * seeds * step**2) / (units - 1)
    if seeds == 1:
        return Estimate(mean, math.sqrt(over_units / units), units - 1)
    among_seeds, freedom = units * _squares(values.mean(1) - mean), (seeds - 1) * (units - 1)
    everything = _squares(values) - values.size * mean**2  # a difference of sums is ten times as fast as centring
    rest = max(0.0, everything - among_units - among_seeds) / freedom  # below 0 as floats round
    squares = _kept((among_seeds / (seeds - 1), seeds - 1), (over_units, units - 1), (rest, freedom))
    total = sum(sign * square for sign, square, _ in squares)
    if not total:
        return Estimate(mean, 0.0, units - 1)
    df = 1 / sum((square / total) ** 2 / df for _, square, df in squares)
    return Estimate(mean, math.sqrt(total / (seeds * units)), df)


def _kept(seeds, units, rest):
    """The mean squares that stand for components above zero: [(sign, mean square, degrees of freedom)]."""
    above = [(1, *square) for square in (seeds, units) if square[0] > (1 + ROUNDING) * rest[0]]
    return above if len(above) == 1 else [*above, (-1 if above else 1, *rest)]


def _squares(values):
    return float(np.square(values).sum())
