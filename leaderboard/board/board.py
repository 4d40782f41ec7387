"""What may be compared: records grouped by task and division, those that differ set aside."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from leaderboard.board.budgets import Budget, budgets
from leaderboard.board.comparisons import dense_results, dense_sample, labelled, samples_of, with_comparisons
from leaderboard.board.rows import REFERENCES, Place, Row, devices, rows_of
from leaderboard.board.scores import Score, scores
from leaderboard.record.schema import PROTOCOL, Dense, Record, TaskInfo
from leaderboard.stats.paired import Sample, clusters, level
from leaderboard.stats.pareto import pareto
from leaderboard.stats.summary import Summary


class Division(NamedTuple):
    """One table: rows that share task version, data, dense nets and budget."""

    name: str  # "closed" or "open"
    dense: list[Dense]  # by seed
    level: Summary  # quality of the dense nets
    devices: list[str]
    rows: list[Row]
    optimal: list[bool]  # of each row: on the Pareto front of quality and bytes
    scores: list[Score]  # of each record, on each axis
    budgets: list[Budget]  # methods under each of the task's budgets


class Stale(NamedTuple):
    """A record that is not ranked, and why."""

    record: Record
    reason: str


class Board(NamedTuple):
    """All records of a task."""

    task: TaskInfo
    divisions: list[Division]  # none where all records are of an older protocol than those of another task
    stale: list[Stale]


def boards(records: Sequence[Record]) -> list[Board]:
    """Returns one board per task, by name. Of several protocols the newest is ranked, on every task."""
    records = sorted(records, key=_place)
    newest = max((record.protocol for record in records), default=PROTOCOL)
    return [_board(list(group), newest) for _, group in groupby(records, key=attrgetter("task.name"))]


def compared(boards: Sequence[Board]) -> list[tuple[Board, Division]]:
    """Returns the closed divisions in which a method that compresses ran, each with its board."""
    closed = [(board, division) for board in boards for division in board.divisions if division.name == "closed"]
    return [(b, d) for b, d in closed if any(row.record.method.name not in REFERENCES for row in d.rows)]


def _place(record):
    return record.task.name, record.method.name, record.method.digest


def _board(records, protocol):
    older = [record for record in records if record.protocol != protocol]
    records = [record for record in records if record.protocol == protocol]
    current, stale = _same_data(records) if records else ([], [])
    stale += [Stale(record, f"protocol {record.protocol}, ranked records have {protocol}") for record in older]
    divisions, dense = [], dense_results(current)
    for name in ("closed", "open"):
        entered = [record for record in current if record.division == name]
        ranked, differing = _same_nets(entered)
        stale += differing
        if ranked:
            divisions.append(_division(name, ranked, dense))
    return Board((current or older)[0].task, divisions, stale)


def _same_data(records):
    """Those of the newest task version and, in it, the commonest data and measure; and the others."""
    newest = max(record.task.version for record in records)
    tasks = [record.task for record in records if record.task.version == newest]
    fingerprint = _commonest(task.fingerprint for task in tasks)
    measure = _commonest(_measure(task) for task in tasks if task.fingerprint == fingerprint)
    current, stale = [], []
    for record in records:
        if record.task.version != newest:
            stale.append(Stale(record, f"task version {record.task.version}, the newest is {newest}"))
        elif record.task.fingerprint != fingerprint:
            stale.append(
                Stale(record, f"data fingerprint {record.task.fingerprint}, ranked records have {fingerprint}")
            )
        elif _measure(record.task) != measure:
            stale.append(
                Stale(record, "metric, its direction, batch, test examples, margin or window is not that of the others")
            )
        else:
            current.append(record)
    return current, stale


def _commonest(values):
    return Counter(values).most_common(1)[0][0]


def _measure(task):
    """What must be one for all rows of a table: one record alone does not turn the others' ranking around."""
    scale = task.margin, tuple(task.window or ()), tuple(task.clusters or ())
    return task.metric, task.outcome, task.higher_is_better, task.eval_batch, task.rows["test"], *scale


def _same_nets(records):
    """Those that agree on the dense net of every seed, the commonest nets first; and the others."""
    votes = Counter(_same(net) for record in records for net in record.dense)
    agreed, ranked, stale = {}, [], []
    for record in sorted(records, key=lambda r: -sum(votes[_same(net)] for net in r.dense)):
        own = {net.seed: net for net in record.dense}
        differs = [seed for seed in own if seed in agreed and _same(agreed[seed]) != _same(own[seed])]
        if differs:
            seed = differs[0]
            reason = f"dense checkpoint {_net(own[seed])} of seed {seed}, ranked records have {_net(agreed[seed])}"
            stale.append(Stale(record, reason))
        else:
            agreed |= own
            ranked.append(record)
    return sorted(ranked, key=_place), stale


def _same(net):
    """What makes two dense nets one, whoever trained them."""
    return net.seed, net.checkpoint, net.quality, net.bytes


def _net(net):
    return f"{net.checkpoint} ({net.quality:g}, {net.bytes} bytes)"


def _division(name, records, known):
    nets = {net.seed: net for record in records for net in record.dense}
    task = records[0].task
    units = clusters(task.clusters)
    dense = {id(record): dense_sample(record, known, units) for record in records}
    rows = labelled([row for record in records for row in rows_of(record)])
    samples = samples_of(rows, units)
    better = 1 if task.higher_is_better else -1
    rows = with_comparisons(rows, samples, [dense[id(row.record)] for row in rows], better)
    ranked = budgets(task, rows, samples)
    return Division(
        name=name,
        dense=[nets[seed] for seed in sorted(nets)],
        level=level(_merged(dense.values()), (0.0, 1.0 if task.outcome == "correct" else math.inf)),
        devices=sorted({name for record in records for name in devices(record, record.points)}),
        rows=_placed(rows, ranked),
        optimal=_optimal(rows, task.higher_is_better),
        scores=[score for record in records for score in scores(record)],
        budgets=ranked,
    )


def _merged(samples: Iterable[Sample]) -> Sample:
    """All dense nets of a division: records that share a seed share its net."""
    quality, outcomes, units = {}, {}, None
    for found in samples:
        quality, outcomes, units = quality | found.quality, outcomes | found.outcomes, found.clusters
    return Sample(dict(sorted(quality.items())), outcomes, units)


def _placed(rows, ranked):
    places = [[] for _ in rows]
    for budget in ranked:
        for entrant in budget.entrants:
            places[entrant.place].append(Place(budget.bytes, entrant.rank))
    return [row._replace(places=found) for row, found in zip(rows, places, strict=True)]


def _optimal(rows, higher_is_better):
    """Only a row whose seeds all finished stands for the front: those that survive are no fair sample."""
    whole = [i for i, row in enumerate(rows) if row.whole]
    points = [(rows[i].figures.bytes, rows[i].figures.quality.mean) for i in whole]
    front = pareto(points, higher_is_better=higher_is_better)
    best = {i for i, optimal in zip(whole, front, strict=True) if optimal}
    return [i in best for i in range(len(rows))]
