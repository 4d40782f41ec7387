"""What the rows of a table make of each other.

A row is compared with
- the dense nets which its seeds started from;
- its reference, which got as much training: the row of `method.reference`, or dense again where that is "dense";
- its control at equal size: of the control's rows of no more bytes, the one that is best on *valid*.
The comparisons of a record are one family, and corrected together: no entry of others moves them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from leaderboard.board.rows import Comparison, Row, full_label, sample_of
from leaderboard.record.schema import Dense, Record, Result
from leaderboard.stats.paired import Clusters, Finding, Sample, compare, sample
from leaderboard.stats.significance import RISK, holm

DenseResults = Mapping[tuple, Result]  # by what makes a dense net one
EQUAL_SIZE = 1.005
"""Largest ratio of a control's bytes to those of what it controls. A control that takes over how many weights are kept
keeps others, whose positions may cost the coder a little more or less."""


def dense_results(records: Iterable[Record]) -> DenseResults:
    """Returns each dense net as it was scored by the method `dense`, in whichever division; of several the first."""
    found: dict[tuple, Result] = {}
    for record in records:
        nets = {net.seed: net for net in record.dense}
        runs = [run for point in record.points for run in point.runs if record.method.name == "dense"]
        for run in runs:
            if run.result is not None:
                found.setdefault(_same(nets[run.seed]), run.result)
    return found


def _same(net: Dense) -> tuple:
    """What makes two dense nets one, whoever trained them."""
    return net.seed, net.checkpoint, net.quality, net.bytes


def beats(comparison: Comparison, *, higher_is_better: bool) -> bool:
    """Returns whether the row is better than the other, and by more than chance."""
    gain = comparison.found.difference if higher_is_better else -comparison.found.difference
    return gain > 0 and comparison.corrected < RISK


def within(finding: Finding, margin: float, *, higher_is_better: bool) -> bool:
    """Returns whether no more than the margin is lost, at 95 % confidence (one-sided).

    Args:
        finding: a row minus another.
        margin: in units of quality.
        higher_is_better: of quality.
    """
    worst = finding.least if higher_is_better else finding.most
    return worst is not None and (-worst if higher_is_better else worst) <= margin


def labelled(rows: Sequence[Row]) -> list[Row]:
    """Returns the rows of a table, with the digest in the labels of methods that have several configurations in it."""
    digests = defaultdict(set)
    for row in rows:
        digests[row.record.method.name].add(row.record.method.digest)
    several = {name for name, found in digests.items() if len(found) > 1}
    infos = [(row, row.record.method) for row in rows]
    return [row._replace(label=full_label(m)) if m.name in several else row for row, m in infos]


def samples_of(rows: Sequence[Row], units: Clusters | None) -> list[Sample | None]:
    """Returns what each row did, None where no seed finished. `units`: which test examples depend on each other."""
    return [None if row.figures is None else sample_of(row.point, units) for row in rows]


def dense_sample(nets: Sequence[Dense], dense: DenseResults, units: Clusters | None) -> Sample:
    """Returns what dense nets did.

    Args:
        nets: a record's, which its seeds started from.
        dense: of `dense_results`.
        units: which test examples depend on each other.
    """
    results = [(net, dense.get(_same(net))) for net in nets]
    return sample([(net.seed, net.quality, result and result.outcomes) for net, result in results], units)


def with_comparisons(
    rows: Sequence[Row], samples: Sequence[Sample | None], dense: Sequence[Sample], better: int
) -> list[Row]:
    """Returns the rows of a table with their comparisons by kind: "dense", "reference" and "control".

    A kind is left out where there is no other row or no shared seed.

    Args:
        rows: one table's.
        samples: outcomes of each row, None if it has no figures.
        dense: outcomes of the dense nets of each row's seeds.
        better: 1 where higher quality is better, else -1.
    """
    found = [(pair, compare(pair.own, pair.against)) for pair in _pairs(rows, samples, dense, better)]
    families = defaultdict(list)
    for pair, finding in found:
        if finding is not None:
            families[id(rows[pair.row].record)].append((pair, finding))
    comparisons: list[dict[str, Comparison]] = [{} for _ in rows]
    for family in families.values():
        for (pair, finding), p in zip(family, holm([finding.p for _, finding in family]), strict=True):
            comparisons[pair.row][pair.kind] = Comparison(pair.other, finding, p)
    for row, own in zip(rows, comparisons, strict=True):
        if row.record.method.reference == "dense" and "dense" in own:
            own["reference"] = own["dense"]
    alone = _uncontrolled(rows)
    return [r._replace(comparisons=c, uncontrolled=u) for r, c, u in zip(rows, comparisons, alone, strict=True)]


class _Pair(NamedTuple):
    """A row and what it is compared with."""

    row: int
    kind: str  # "dense", "reference" or "control"
    other: Row | None  # None: the dense nets
    own: Sample
    against: Sample


def _pairs(rows, samples, dense, better) -> Iterator[_Pair]:
    methods = _by_method(rows)
    references = {name: best_on_valid(rows, places, better) for name, places in methods.items()}
    for i, (row, own) in enumerate(zip(rows, samples, strict=True)):
        if own is None:
            continue
        if row.record.method.name != "dense":
            yield _Pair(i, "dense", None, own, dense[i])
        reference = row.record.method.reference
        others = {
            "reference": references.get(reference) if reference not in ("dense", row.record.method.name) else None,
            "control": best_on_valid(rows, _controls(rows, methods, row), better),
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


def best_on_valid(rows: Sequence[Row], places: Iterable[int], better: int) -> int | None:
    """Returns the place of the row that is best on valid, the smallest artifact of equals; None of none.

    Args:
        rows: one table's.
        places: in `rows`, of those with figures among which to choose.
        better: 1 where higher quality is better, else -1.
    """
    found = [(i, rows[i].figures) for i in places]
    return min(((-better * f.valid, f.bytes, i) for i, f in found if f is not None), default=(None,))[-1]
