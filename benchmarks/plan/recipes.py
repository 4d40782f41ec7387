"""Which recipe a job trains by, and a curve's whole config: what was asked of it."""

import dataclasses
from typing import Any

import msgspec

from benchmarks.plan.config import Budget
from benchmarks.plan.job import Job
from methods import METHODS
from methods.base import Description
from tasks import TASKS
from tasks.base import Recipe, Task
from tasks.nets.spec import net_to_json

EARLY = (0.01, 0.02, 0.05)
"""Shares of the dense net's steps after which its weights are kept: those who rewind go back to 0.1 to 7 % of them.

Frankle et al. 2019 (arXiv 1903.01611).
"""


def under(task: Task, budget: Budget) -> Task:
    """Returns the task with its recipes and its batches under a budget."""
    return dataclasses.replace(
        task,
        dense=scaled(task.dense, budget.dense, budget.batch),
        recovery=scaled(task.recovery, budget.recovery, budget.batch),
        eval_batch=_share(task.eval_batch, budget.batch),
    )


def scaled(recipe: Recipe, share: float, batch: float = 1.0) -> Recipe:
    """Returns a recipe with a share of its steps, and of its batch.

    Args:
      recipe: the whole.
      share: of its steps, above 0.
      batch: share of the examples in a batch, above 0.
    """
    return dataclasses.replace(
        recipe,
        steps=_share(recipe.steps, share),
        warmup=min(round(recipe.warmup * share), _share(recipe.steps, share) - 1),
        batch_size=_share(recipe.batch_size, batch),
    )


def _share(count: int, share: float) -> int:
    return max(1, round(count * share))


def training(task: Task, about: Description, rate: float = 1.0) -> Recipe | None:
    """Returns the recipe that a method trains by in each of its rounds, None if it does not train.

    A full budget is one schedule from birth, of the dense recipe's shape, with the steps of the dense net and of its
    recovery together. Rounds share a budget evenly: each has the same schedule, that much shorter; steps that are left
    over, fewer than there are rounds, are not made.

    Args:
      task: under its budget.
      about: the method.
      rate: factor on the recipe's learning rate.
    """
    if about.budget == "none":
        return None
    whole = dataclasses.replace(task.dense, steps=task.dense.steps + task.recovery.steps)
    recipe = task.recovery if about.budget == "recovery" else whole
    steps = max(1, recipe.steps // about.rounds)
    warmup = min(round(recipe.warmup / about.rounds), steps - 1) if about.rounds > 1 else recipe.warmup
    return dataclasses.replace(recipe, steps=steps, warmup=warmup, learning_rate=rate * recipe.learning_rate)


def steps(task: Task, about: Description) -> int:
    """Returns the steps of a method's training on a task under its budget, all rounds together; 0 if it has none."""
    recipe = training(task, about)
    return recipe.steps * about.rounds if recipe else 0


def early_steps(steps: int) -> tuple[int, ...]:
    """Returns the steps of dense training after which it keeps its weights: fixed shares of all, at least the first."""
    return tuple(sorted({max(1, round(share * steps)) for share in EARLY} - {steps}))


def curve_config(job: Job) -> dict[str, Any]:
    """Returns what was asked of a job's curve, as plain JSON values: a record holds it, and is named by its digest.

    Of a job whose settings are not chosen yet, it says the defaults.
    """
    task, about = under(TASKS[job.task], job.budget), METHODS[job.method].about
    recipe = training(task, about, job.rate)
    config = {
        "task": job.task,
        "task_version": task.version,
        "net": net_to_json(task.net),
        "method": job.method,
        "options": job.arguments,
        "dense": dataclasses.asdict(task.dense),
        "training": dataclasses.asdict(recipe) if recipe else None,
        "tuning": job.tuning,
        "eval_batch": task.eval_batch,
        "budget": msgspec.to_builtins(job.budget),
    }
    if task.teacher is not None and "teacher" in about.needs:
        config["teacher"] = net_to_json(task.teacher)
    if about.rounds > 1:
        config["rounds"] = about.rounds
    if job.trajectory:
        config["trajectory"] = job.trajectory
    if job.copied is not None:
        config["copied"] = {"method": job.copied.method, "options": job.copied.options}
    return plain(config)


def plain(value: Any) -> Any:
    """Returns a value as it comes back from JSON: tuples are lists."""
    return msgspec.json.decode(msgspec.json.encode(value))
