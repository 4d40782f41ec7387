"""What the rows of a table make of each other: against dense, control and best, corrected for all; ranks and ties."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from leaderboard.board.rows import Comparison, Row, name
from leaderboard.record.schema import Record, Result
from leaderboard.stats.paired import Sample, findings, sample
from leaderboard.stats.ranks import places
from leaderboard.stats.significance import RISK, holm


def beats(comparison: Comparison, *, higher_is_better: bool) -> bool:
    """Whether the row is better than the other, and by more than chance."""
    gain = comparison.difference if higher_is_better else -comparison.difference
    return gain > 0 and comparison.p < RISK


def dense_results(records: Sequence[Record]) -> dict[str, Result]:
    """checkpoint -> the dense net as it was scored by the method `dense`, in whichever division."""
    entries = [record for record in records if record.method.name == "dense"]
    runs = [run for record in entries for point in record.points for run in point.runs]
    return {run.dense: run.result for run in runs if run.result is not None}


def with_comparisons(rows: Sequence[Row], dense: Mapping[str, Result], better: int) -> list[Row]:
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


def compare(rows: Sequence[Row], samples: Sequence[Sample | None], dense: Sequence[Sample], better: int) -> list[dict]:
    """The comparisons of each row by kind: "dense", "control" and "best", where there is another row and a shared seed.

    `samples`: of each row, None if it has no figures; `dense`: of the dense nets of its seeds; `better`: 1 where
    higher quality is better, else -1.
    """
    pairs = [pair for pair in _pairs(rows, samples, dense, better) if samples[pair[0]] is not None]
    found = findings([(samples[i], other) for i, _, _, other in pairs])
    kept = [(*pair[:3], finding) for pair, finding in zip(pairs, found, strict=True) if finding is not None]
    corrected = holm([finding.p for *_, finding in kept])
    comparisons = [{} for _ in rows]
    for (i, kind, against, f), p in zip(kept, corrected, strict=True):
        comparisons[i][kind] = Comparison(against, f.difference, f.low, f.high, p, f.test)
    return comparisons


def _pairs(rows, samples, dense, better):
    """Yields (place of a row, kind, name of the other, the other)."""
    best, controls = _best(rows, range(len(rows)), better), _controls(rows)
    for i, row in enumerate(rows):
        if row.record.method.name != "dense":
            yield i, "dense", "dense", dense[i]
        control = _best(rows, controls.get((row.record.method.control, row.strength), ()), better)
        for kind, j in (("control", control), ("best", best)):
            if j not in (None, i):
                yield i, kind, name(rows[j]), samples[j]


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
