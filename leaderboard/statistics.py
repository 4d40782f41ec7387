"""Mean and spread over seeds; which points are Pareto-optimal."""

from collections.abc import Sequence
from statistics import fmean, stdev
from typing import NamedTuple


class Summary(NamedTuple):
    """Of n values. `std` is the sample standard deviation (n - 1 in the denominator), None where n = 1."""

    mean: float
    std: float | None
    n: int


def summarize(values: Sequence[float]) -> Summary:
    """Of at least one value; exactly rounded, so that a page is the same on every machine."""
    return Summary(fmean(values), stdev(values) if len(values) > 1 else None, len(values))


def pareto(points: Sequence[tuple[float, float]], *, higher_is_better: bool) -> list[bool]:
    """For each (cost, quality): whether no other point is at least as good in both and better in one.

    Cost is better when lower. Equal points stand or fall together.
    """
    sign = 1 if higher_is_better else -1
    points = [(cost, -sign * quality) for cost, quality in points]
    return [not any(_dominates(other, point) for other in points) for point in points]


def _dominates(a, b):
    return a[0] <= b[0] and a[1] <= b[1] and a != b
