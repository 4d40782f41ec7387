"""Ranks in a table, as intervals: rows that cannot be told apart share them."""

from collections.abc import Sequence
from typing import NamedTuple

from leaderboard.stats.paired import Sample, p_value, pair
from leaderboard.stats.significance import RISK


class Place(NamedTuple):
    """Where a row stands among those of its table."""

    rank: tuple[int, int]  # from, to; 1 is the best
    tie: int  # group, numbered from the best


def places(samples: Sequence[Sample | None], means: Sequence[float | None]) -> list[Place | None]:
    """Returns the place of each row, None where it has no figures.

    In order of mean quality, a row's rank goes from that of the first row which it cannot be told apart from to that
    of the last one. Two rows are told apart where the paired p of their difference is below 0.05 / (number of pairs):
    Bonferroni over all pairs, as not all of them are looked at. What is better than a row that is told apart, is told
    apart, too; so each row needs a test or two. A tie group is a leader, the best row that is in no group yet, and
    all that cannot be told apart from it.

    Args:
        samples: what each row did; None where it has no figures.
        means: mean quality of each row, times -1 where lower is better; None where it has no figures.
    """
    order = [i for _, i in sorted((-mean, i) for i, mean in enumerate(means) if mean is not None)]
    first = _first([samples[i] for i in order])
    last = [0] * len(order)
    for place, start in enumerate(first):
        last[start : place + 1] = [place] * (place + 1 - start)
    found: list[Place | None] = [None] * len(means)
    leader, tie = 0, 1
    for place, i in enumerate(order):
        if first[place] > leader:
            leader, tie = place, tie + 1
        found[i] = Place((first[place] + 1, last[place] + 1), tie)
    return found


def _first(samples):
    """Returns for each sample, best first, the index of the first one that it cannot be told apart from."""
    bound = RISK / max(1, len(samples) * (len(samples) - 1) // 2)
    first, start = [], 0
    for place, sample in enumerate(samples):
        while start < place and _apart(samples[start], sample, bound):
            start += 1
        first.append(start)
    return first


def _apart(a, b, bound):
    found = pair(a, b)
    return found is not None and p_value(found) < bound
