"""What the rows of a table make of each other, corrected for all comparisons; ranks and ties.

A row is compared with
- the dense nets which its seeds started from;
- its reference, which got as much training: the row of `method.reference`, or dense again where that is "dense";
- its control at equal size: of the control's rows of no more bytes, the one that is best on *valid*;
- the best row of the table.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from leaderboard.board.rows import Comparison, Row, full_label
from leaderboard.record.schema import Record, Result
from leaderboard.stats.paired import Clusters, Sample, clusters, findings, sample
from leaderboard.stats.ranks import places
from leaderboard.stats.significance import RISK, holm


def beats(comparison: Comparison, *, higher_is_better: bool) -> bool:
    """Returns whether the row is better than the other, and by more than chance."""
    gain = comparison.difference if higher_is_better else -comparison.difference
    return gain > 0 and comparison.p < RISK


EQUAL_SIZE = 1.005
"""Largest ratio of a control's bytes to those of what it controls. A control that takes over how many weights are kept
keeps others, whose positions may cost the coder a little more or less."""


def dense_results(records: Sequence[Record]) -> dict[str, Result]:
    """Returns {checkpoint: the dense net as it was scored by the method `dense`}, in whichever division."""
    entries = [record for record in records if record.method.name == "dense"]
    runs = [run for record in entries for point in record.points for run in point.runs]
    return {run.dense: run.result for run in runs if run.result is not None}


def with_comparisons(rows: Sequence[Row], dense: Mapping[str, Result], better: int) -> list[Row]:
    """Returns the rows of a table, with all that compares them.

    Args:
        rows: one table's, each by itself.
        dense: checkpoint -> its result, where it is known.
        better: 1 where higher quality is better, else -1.
    """
    rows = _labelled(rows)
    units = clusters(rows[0].record.task.clusters) if rows else None
    samples = [_sample(row.point, units) for row in rows]
    against = {id(row.record): _dense(row.record, dense, units) for row in rows}
    comparisons = compare(rows, samples, [against[id(row.record)] for row in rows], better)
    ranks = places(samples, [better * row.figures.quality.mean if row.figures else None for row in rows])
    return [
        row._replace(comparisons=found, uncontrolled=alone, rank=place and place.rank, tie=place and place.tie)
        for row, found, alone, place in zip(rows, comparisons, _uncontrolled(rows), ranks, strict=True)
    ]


def _labelled(rows):
    digests = defaultdict(set)
    for row in rows:
        digests[row.record.method.name].add(row.record.method.digest)
    several = {name for name, found in digests.items() if len(found) > 1}
    infos = [(row, row.record.method) for row in rows]
    return [row._replace(label=full_label(m)) if m.name in several else row for row, m in infos]


def _sample(point, units: Clusters | None) -> Sample | None:
    done = [(run.seed, run.result.quality, run.result.outcomes) for run in point.runs if run.result is not None]
    return sample(done, units) if done else None


def _dense(record: Record, dense: Mapping[str, Result], units: Clusters | None) -> Sample:
    results = [(net, dense.get(net.checkpoint)) for net in record.dense]
    return sample([(net.seed, net.quality, result and result.outcomes) for net, result in results], units)


def compare(
    rows: Sequence[Row], samples: Sequence[Sample | None], dense: Sequence[Sample], better: int
) -> list[dict[str, Comparison]]:
    """Returns the comparisons of each row by kind: "dense", "reference", "control" and "best".

    A kind is left out where there is no other row or no shared seed.

    Args:
        rows: one table's.
        samples: outcomes of each row, None if it has no figures.
        dense: outcomes of the dense nets of each row's seeds.
        better: 1 where higher quality is better, else -1.
    """
    pairs = list(_pairs(rows, samples, dense, better))
    found = zip(pairs, findings([(pair.own, pair.against) for pair in pairs]), strict=True)
    kept = [(pair, finding) for pair, finding in found if finding is not None]
    corrected = holm([finding.p for _, finding in kept])
    comparisons: list[dict[str, Comparison]] = [{} for _ in rows]
    for (pair, f), p in zip(kept, corrected, strict=True):
        comparisons[pair.row][pair.kind] = Comparison(pair.other, f.difference, f.low, f.high, p, f.test)
    for row, own in zip(rows, comparisons, strict=True):
        if row.record.method.reference == "dense" and "dense" in own:
            own["reference"] = own["dense"]
    return comparisons


class _Pair(NamedTuple):
    """A row and what it is compared with."""

    row: int
    kind: str  # "dense", "reference", "control" or "best"
    other: Row | None  # None: the dense nets
    own: Sample
    against: Sample


def _pairs(rows, samples, dense, better) -> Iterator[_Pair]:
    methods = _by_method(rows)
    best = _best(rows, chain(*methods.values()), lambda figures: better * figures.quality.mean)
    references = {name: _best(rows, places, lambda figures: better * figures.valid) for name, places in methods.items()}
    for i, (row, own) in enumerate(zip(rows, samples, strict=True)):
        if own is None:
            continue
        if row.record.method.name != "dense":
            yield _Pair(i, "dense", None, own, dense[i])
        reference = row.record.method.reference
        others = {
            "reference": references.get(reference) if reference not in ("dense", row.record.method.name) else None,
            "control": _best(rows, _controls(rows, methods, row), lambda figures: better * figures.valid),
            "best": best,
        }
        for kind, j in others.items():
            if j not in (None, i):
                yield _Pair(i, kind, rows[j], own, samples[j])


def _by_method(rows):
    """Method -> places of its rows whose seeds all finished: those that survive are no fair sample."""
    found = defaultdict(list)
    for i, row in enumerate(rows):
        if row.whole:
            found[row.record.method.name].append(i)
    return found


def _controls(rows, methods, row):
    """The places of the control's rows that are no larger than `row`, which has figures."""
    most = EQUAL_SIZE * row.figures.bytes + 1e-6  # as floats round
    return [i for i in methods.get(row.record.method.control, ()) if rows[i].figures.bytes <= most]


def _uncontrolled(rows) -> list[bool]:
    """Of each row whether its control has rows, but none that is as small."""
    methods = _by_method(rows)
    known = [row.figures is not None and row.record.method.control in methods for row in rows]
    return [ran and not _controls(rows, methods, row) for ran, row in zip(known, rows, strict=True)]


def _best(rows, places, quality):
    """The place of the best, the smallest artifact of equals; None of none."""
    return min(places, key=lambda i: (-quality(rows[i].figures), rows[i].figures.bytes, i), default=None)
