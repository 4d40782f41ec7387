"""What the rows of a table make of each other: comparisons, ranks, ties."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from leaderboard.comparisons import compare
from leaderboard.paired import Sample, sample
from leaderboard.ranks import places
from leaderboard.rows import Row
from leaderboard.schema import Record, Result


def judged(rows: Sequence[Row], dense: Mapping[str, Result], better: int) -> list[Row]:
    """The rows of a table, with all that compares them.

    `dense`: checkpoint -> its result where it is known; `better`: 1 where higher quality is better, else -1.
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
    return [row._replace(label=f"{m.name} ({m.digest})") if m.name in several else row for row, m in infos]


def _sample(point) -> Sample | None:
    done = [(run.seed, run.result.quality, run.result.outcomes) for run in point.runs if run.result is not None]
    return sample(done) if done else None


def _dense(record: Record, dense: Mapping[str, Result]) -> Sample:
    results = [(net, dense.get(net.checkpoint)) for net in record.dense]
    return sample((net.seed, net.quality, result and result.outcomes) for net, result in results)
