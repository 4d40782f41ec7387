"""What may be compared: records grouped by task and division; those that differ from the registry set aside."""

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from leaderboard.board.budgets import Budget, budgets
from leaderboard.board.comparisons import (
    DenseResults,
    dense_results,
    dense_sample,
    labelled,
    samples_of,
    with_comparisons,
)
from leaderboard.board.rows import REFERENCES, Place, Row, devices, rows_of
from leaderboard.board.scores import Score, scores
from leaderboard.record import registry
from leaderboard.record.registry import Known
from leaderboard.record.schema import PROTOCOL, Dense, Record, TaskInfo
from leaderboard.stats.paired import clusters, level
from leaderboard.stats.pareto import pareto
from leaderboard.stats.summary import Summary


class Division(NamedTuple):
    """One table: rows that share task, data and budget. A record may have dense nets of its own."""

    name: str  # "closed" or "open"
    dense: list[Dense]  # that stand for the task, by seed
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

    task: TaskInfo  # as the registry describes it
    divisions: list[Division]  # none where no record is ranked
    stale: list[Stale]
    registered: bool  # whether the registry has the task and its data; else nothing is ranked


def boards(records: Sequence[Record], known: Mapping[str, Known] | None = None) -> list[Board]:
    """Returns one board per task, by name.

    Args:
        records: in any order.
        known: the registry. Records of a task that it does not have, or has without data, are not ranked. None: each
            task is what its records say themselves, and of several protocols the newest is ranked.
    """
    records = sorted(records, key=_place)
    protocol = PROTOCOL if known is not None else max((record.protocol for record in records), default=PROTOCOL)
    known = registry.said(records) if known is None else known
    groups = [(name, list(group)) for name, group in groupby(records, key=attrgetter("task.name"))]
    return [_board(name, group, known.get(name), protocol) for name, group in groups]


def compared(boards: Sequence[Board]) -> list[tuple[Board, Division]]:
    """Returns the closed divisions in which a method that compresses ran, each with its board."""
    closed = [(board, division) for board in boards for division in board.divisions if division.name == "closed"]
    return [(b, d) for b, d in closed if any(row.record.method.name not in REFERENCES for row in d.rows)]


def _place(record):
    return record.task.name, record.method.name, record.method.digest


def _board(name: str, records: list[Record], known: Known | None, protocol: int) -> Board:
    if known is None or known.fingerprint is None:
        return Board(records[0].task, [], [Stale(record, _unknown(known)) for record in records], registered=False)
    stale = [Stale(record, reason) for record in records if (reason := _reason(record, known, protocol))]
    set_aside = {id(one.record) for one in stale}
    current = [record for record in records if id(record) not in set_aside]
    task = registry.described(name, known, current[0].task.clusters if current else None)
    dense = dense_results(sorted(current, key=lambda record: record.method.digest != known.dense))
    entered = [(division, [r for r in current if r.division == division]) for division in ("closed", "open")]
    divisions = [_division(division, task, ranked, known, dense) for division, ranked in entered if ranked]
    return Board(task, divisions, stale, registered=True)


def _unknown(known: Known | None) -> str:
    what = "has no such task" if known is None else "does not know the data of this task"
    return f"leaderboard/tasks.json {what}; where the task and its data are, run: {registry.WRITE}"


def _reason(record: Record, known: Known, protocol: int) -> str | None:
    if record.protocol != protocol:
        return f"protocol {record.protocol}, ranked records have {protocol}"
    return registry.difference(record.task, known)


def _division(name: str, task: TaskInfo, records: list[Record], known: Known, scored: DenseResults) -> Division:
    units = clusters(task.clusters)
    nets = _nets(records, known.dense)
    dense = {id(record): dense_sample(record.dense, scored, units) for record in records}
    rows = labelled([row for record in records for row in rows_of(record)])
    samples = samples_of(rows, units)
    better = 1 if task.higher_is_better else -1
    rows = with_comparisons(rows, samples, [dense[id(row.record)] for row in rows], better)
    ranked = budgets(task, rows, samples)
    possible = 0.0, 1.0 if task.outcome == "correct" else math.inf
    return Division(
        name=name,
        dense=nets,
        level=level(dense_sample(nets, scored, units), possible),
        devices=sorted({name for record in records for name in devices(record, record.points)}),
        rows=_placed(rows, ranked),
        optimal=_optimal(rows, task.higher_is_better),
        scores=[score for record in records for score in scores(record)],
        budgets=ranked,
    )


def _nets(records: list[Record], digest: str | None) -> list[Dense]:
    """The dense nets that stand for the task, by seed: the registry's; where these did not run, the first of all."""
    chosen = [record for record in records if (record.method.name, record.method.digest) == ("dense", digest)]
    nets: dict[int, Dense] = {}
    for record in chosen or records:
        for net in record.dense:
            nets.setdefault(net.seed, net)
    return [nets[seed] for seed in sorted(nets)]


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
