"""Which points are Pareto-optimal."""

import math
from collections.abc import Sequence


def pareto(points: Sequence[tuple[float, float]], *, higher_is_better: bool) -> list[bool]:
    """Returns for each (cost, quality) whether no other point is at least as good in both and better in one.

    Cost is better when lower. Equal points stand or fall together.
    """
    sign = 1 if higher_is_better else -1
    front, best = set(), -math.inf
    for cost, quality in sorted(((cost, sign * quality) for cost, quality in points), key=lambda p: (p[0], -p[1])):
        if quality > best:
            front.add((cost, quality))
            best = quality
    return [(cost, sign * quality) in front for cost, quality in points]
