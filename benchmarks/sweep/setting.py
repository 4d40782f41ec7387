"""What every dense net and run of a task shares: the task under its budget, and its data on the device."""

import functools
from typing import NamedTuple

from benchmarks.identity.identity import Facts
from benchmarks.plan.config import Budget
from benchmarks.plan.recipes import under
from leaderboard.record.canonical import digits
from leaderboard.record.schema import TaskInfo
from tasks.base import Data, Task, count, fingerprint, part, prepared


class Setting(NamedTuple):
    """A task as it is run."""

    task: Task  # its recipes under the budget
    budget: Budget
    data: Data  # prepared, on the device
    facts: Facts
    info: TaskInfo


@functools.lru_cache(maxsize=1)
def setting(task: Task, budget: Budget) -> Setting:
    """Returns the setting of a task, its data loaded. Only the last one is kept: data are large."""
    decoded = part(task.load(), budget.examples)
    facts = Facts(fingerprint(decoded), {split: count(getattr(decoded, split)) for split in Data._fields})
    scaled_task = under(task, budget)
    return Setting(scaled_task, budget, prepared(task, decoded), facts, task_info(scaled_task, decoded, facts))


def task_info(task: Task, decoded: Data, facts: Facts) -> TaskInfo:
    """Returns what records say of a task and its data.

    Args:
      task: under its budget.
      decoded: the data, before `prepare`.
      facts: of the data.
    """
    return TaskInfo(
        name=task.name,
        version=task.version,
        modality=task.modality,
        source=f"{task.variant()}: {task.source}" if task.variant() else task.source,
        fingerprint=facts.fingerprint,
        rows=facts.rows,
        metric=task.metric.name,
        outcome=task.metric.outcome,
        higher_is_better=task.metric.higher_is_better,
        eval_batch=task.eval_batch,
        reach=task.reach,
        reference=digits(task.reference(decoded) if callable(task.reference) else task.reference),
        margin=digits(task.margin),
        window=list(task.window) if task.window else None,
        clusters=_clusters(task, decoded),
        controls={name: digits(value) for name, value in task.controls(decoded).items()},
    )


def _clusters(task: Task, decoded: Data) -> list[int] | None:
    """The cluster of each test example, numbered in order of appearance; None if all are independent."""
    found = task.clusters(decoded.test)
    if found is None:
        return None
    numbers = {name: i for i, name in enumerate(dict.fromkeys(found.tolist()))}
    return [numbers[name] for name in found.tolist()]
