"""From a config to its jobs: names and numbers, resolved once, that any executor can run."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from benchmarks.plan.config import Budget, Config, Loop, Strength, options, strengths
from leaderboard.record.layout import strength_text
from methods import METHODS
from methods.base import Description
from tasks import TASKS
from tasks.base import Recipe, Task
from tasks.nets.spec import net_to_json


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One run: a dense net, a teacher or a point of a curve."""

    kind: Literal["dense", "teacher", "point"]
    task: str
    method: str = "dense"
    options: Mapping[str, Any] = {}  # all of the method's
    strength: Strength = ()
    seed: int
    budget: Budget
    loop: Loop
    files: tuple[str, ...] = ()  # that define tasks and methods outside the suite
    steps: int = 0  # of training
    after: tuple[str, ...] = ()  # names of the jobs that it waits for

    @property
    def name(self) -> str:
        """A name unique within a plan, such as "digits/lsq/4/seed0"."""
        what = {"dense": "dense net", "teacher": "teacher", "point": self.method}[self.kind]
        return "/".join(filter(None, (self.task, what, strength_text(self.strength), f"seed{self.seed}")))


class Skipped(NamedTuple):
    """A curve that cannot be run: its method needs what the task does not offer."""

    jobs: tuple[Job, ...]
    reason: str


class Plan(NamedTuple):
    """What is to be run, in order: the jobs of a task are adjacent, and each waits only for earlier ones."""

    jobs: tuple[Job, ...]
    skipped: tuple[Skipped, ...]


def plan(config: Config) -> Plan:
    """Returns the jobs of a config, and the curves that are left out with the reason."""
    jobs, skipped = [], []
    for task in config.tasks:
        reasons = {name: lacks(TASKS[task], METHODS[name].about) for name in config.methods}
        nets = _nets(config, task, [name for name, reason in reasons.items() if not reason])
        jobs += [net for kind in nets.values() for net in kind]
        for name, reason in reasons.items():
            curve = _curve(config, task, name, nets)
            if reason:
                skipped.append(Skipped(curve, reason))
            else:
                jobs += curve
    return Plan(tuple(jobs), tuple(skipped))


def lacks(task: Task, about: Description) -> str | None:
    """Returns why a method cannot run on a task; None if it can."""
    offers = {"teacher", *task.offers} | ({"groups"} if hasattr(task.net, "groups") else set())
    missing = sorted(about.needs - offers)
    return "; ".join(_REASONS[need] for need in missing) or None


_REASONS = {
    "groups": "its net has no groups() and resize(), which say what channels may be removed together",
    "classes": "its outputs are not logits of two or more classes",
    "blocks": "its net has no blocks of a transformer",
}


def _nets(config: Config, name: str, methods: list[str]) -> dict[str, list[Job]]:
    """The dense nets of a task; and its teachers, where a method wants them and the task has a net for them."""
    task = under(TASKS[name], config.budget)
    wanted = task.teacher is not None and any("teacher" in METHODS[method].about.needs for method in methods)
    kinds = ("dense", "teacher") if wanted else ("dense",)
    return {
        kind: [Job(kind=kind, seed=seed, steps=task.dense.steps, **_shared(config, name)) for seed in config.seeds]
        for kind in kinds
    }


def _curve(config: Config, name: str, method: str, nets: dict[str, list[Job]]) -> tuple[Job, ...]:
    """The points of a curve, each after the nets of its seed."""
    about = METHODS[method].about
    facts = _shared(config, name) | {"method": method, "options": options(config, method)}
    facts["steps"] = training(under(TASKS[name], config.budget), about)
    kinds = [kind for kind in nets if kind == "dense" or "teacher" in about.needs]
    return tuple(
        Job(kind="point", strength=strength, seed=seed, after=tuple(nets[kind][i].name for kind in kinds), **facts)
        for strength in strengths(config, name, method)
        for i, seed in enumerate(config.seeds)
    )


def _shared(config: Config, name: str) -> dict[str, Any]:
    return {"task": name, "budget": config.budget, "loop": config.loop, "files": config.files}


def training(task: Task, about: Description) -> int:
    """Returns the training steps of a method's point on a task under its budget."""
    return task.recovery.steps if about.budget == "recovery" else 0


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


def curve_config(task: str, method: str, given: Mapping[str, Any], budget: Budget) -> dict[str, Any]:
    """Returns what was asked of a curve, as plain JSON values: a record holds it, and is named by its digest.

    Args:
      task: name.
      method: name.
      given: all options of the method.
      budget: shares of steps, batches and examples.
    """
    asked, about = under(TASKS[task], budget), METHODS[method].about
    teacher = asked.teacher if "teacher" in about.needs else None
    config = {
        "task": task,
        "task_version": asked.version,
        "net": net_to_json(asked.net),
        "method": method,
        "options": given,
        "dense": dataclasses.asdict(asked.dense),
        "recovery": dataclasses.asdict(asked.recovery) if training(asked, about) else None,
        "eval_batch": asked.eval_batch,
        "budget": msgspec.to_builtins(budget),
    }
    return plain(config | ({"teacher": net_to_json(teacher)} if teacher is not None else {}))


def plain(value: Any) -> Any:
    """Returns a value as it comes back from JSON: tuples are lists."""
    return msgspec.json.decode(msgspec.json.encode(value))
