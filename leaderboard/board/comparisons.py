"""What the rows of a table make of each other: against dense, control and best, corrected for all; ranks and ties."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from leaderboard.board.rows import Comparison, Row, full_label, name
from leaderboard.record.schema import Record, Result
from leaderboard.stats.paired import Sample, findings, sample
from leaderboard.stats.ranks import places
from leaderboard.stats.significance import RISK, holm


def beats(comparison: Comparison, *, higher_is_better: bool) -> bool:
    """Returns whether the row is better than the other, and by more than chance."""
    gain = comparison.difference if higher_is_better else -comparison.difference
    return gain > 0 and comparison.p < RISK


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
    samples = [_sample(row.point) for row in rows]
    against = {id(row.record): _dense(row.record, dense) for row in rows}
    comparisons = compare(rows, samples, [against[id(row.record)] for row in rows], better)
    ranks = places(samples, [better * row.figures.quality.mean if row.figures else None for row in rows])
    return [
        row._replace(comparisons=found, rank=place and place.rank, tie=place and place.tie)
        for row, found, place in zip(rows, comparisons, ranks, strict=True)
    ]


def _labelled(rows):
    digests = defaultdict(set)
    for row in rows:
        digests[row.record.method.name].add(row.record.method.digest)
    several = {name for name, found in digests.items() if len(found) > 1}
    infos = [(row, row.record.method) for row in rows]
    return [row._replace(label=full_label(m)) if m.name in several else row for row, m in infos]


def _sample(point) -> Sample | None:
    done = [(run.seed, run.result.quality, run.result.outcomes) for run in point.runs if run.result is not None]
    return sample(done) if done else None


def _dense(record: Record, dense: Mapping[str, Result]) -> Sample:
    results = [(net, dense.get(net.checkpoint)) for net in record.dense]
    return sample((net.seed, net.quality, result and result.outcomes) for net, result in results)


def compare(
    rows: Sequence[Row], samples: Sequence[Sample | None], dense: Sequence[Sample], better: int
) -> list[dict[str, Comparison]]:
    """Returns the comparisons of each row by kind: "dense", "control" and "best".

    A kind is left out where there is no other row or no shared seed.

    Args:
        rows: one table's.
        samples: outcomes of each row, None if it has no figures.
        dense: outcomes of the dense nets of each row's seeds.
        better: 1 where higher quality is better, else -1.
    """
    pairs = list(_pairs(rows, samples, dense, better))
    found = zip(pairs, findings([(pair.own, pair.other) for pair in pairs]), strict=True)
    kept = [(pair, finding) for pair, finding in found if finding is not None]
    corrected = holm([finding.p for _, finding in kept])
    comparisons: list[dict[str, Comparison]] = [{} for _ in rows]
    for (pair, f), p in zip(kept, corrected, strict=True):
        comparisons[pair.row][pair.kind] = Comparison(pair.against, f.difference, f.low, f.high, p, f.test)
    return comparisons


class _Pair(NamedTuple):
    """A row and another entry that it is compared with."""

    row: int
    kind: str  # "dense", "control" or "best"
    against: str  # name of the other
    own: Sample
    other: Sample


def _pairs(rows, samples, dense, better) -> Iterator[_Pair]:
    best, controls = _best(rows, range(len(rows)), better), _controls(rows)
    for i, row in enumerate(rows):
        if samples[i] is None:
            continue
        if row.record.method.name != "dense":
            yield _Pair(i, "dense", "dense", samples[i], dense[i])
        control = _best(rows, controls.get((row.record.method.control, row.strength), ()), better)
        for kind, j in (("control", control), ("best", best)):
            if j not in (None, i):
                yield _Pair(i, kind, name(rows[j]), samples[i], samples[j])


def _controls(rows):
    """(method, strength) -> places of its rows."""
    found = {}
    for i, row in enumerate(rows):
        found.setdefault((row.record.method.name, row.strength), []).append(i)
    return found


def _best(rows, places, better):
    """The place of the best mean quality of those whose seeds all finished, the smallest artifact of equals."""
    whole = [i for i in places if rows[i].whole]
    quality = {i: better * rows[i].figures.quality.mean for i in whole}
    return min(whole, key=lambda i: (-quality[i], rows[i].figures.bytes, i), default=None)
