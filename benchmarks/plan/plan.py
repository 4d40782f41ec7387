"""From a config to its jobs: names and numbers, resolved once, that any executor can run."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from msgspec.structs import replace

from benchmarks.plan.config import Config, Strength, options, seeds, strengths, sweep, trials
from benchmarks.plan.job import TUNED_SEED, Job, Trials
from benchmarks.plan.recipes import steps, under
from methods import METHODS
from methods.base import Description
from tasks import TASKS
from tasks.base import Task

Place = tuple[Strength, int]  # a strength and a seed


class Skipped(NamedTuple):
    """A curve that cannot be run: its method needs what the task does not offer."""

    jobs: tuple[Job, ...]
    reason: str


class Plan(NamedTuple):
    """What is to be run, in order: the jobs of a task are adjacent, and each waits only for earlier ones."""

    jobs: tuple[Job, ...]
    skipped: tuple[Skipped, ...]


def plan(config: Config) -> Plan:
    """Returns the jobs of a config, and the curves that are left out with the reason.

    Dense nets, teachers, trials of settings and the runs that controls copy are added to what the config asks for.
    """
    plans = [_OfTask(config, task).plan() for task in config.tasks]
    return Plan(tuple(job for one in plans for job in one.jobs), tuple(left for one in plans for left in one.skipped))


def lacks(task: Task, about: Description) -> str | None:
    """Returns why a method cannot run on a task; None if it can. A control cannot where what it copies cannot."""
    offers = {"teacher", *task.offers} | ({"groups"} if hasattr(task.net, "groups") else set())
    missing = sorted(about.needs - offers)
    reason = "; ".join(_REASONS.get(need, f"it does not offer {need}") for need in missing) or None
    return reason or (lacks(task, METHODS[about.copies].about) if about.copies else None)


_REASONS = {
    "groups": "its net has no groups() and resize(), which say what channels may be removed together",
    "classes": "its outputs are not logits of two or more classes",
    "blocks": "its net has no blocks of a transformer",
    "batch_norm": "its net has no batch norm",
}


def needed(asked: Plan, job: Job) -> list[Job]:
    """Returns a job after all those of a plan that it waits for, in order."""
    names, found = {job.name}, []
    for earlier in reversed(asked.jobs):
        if earlier.name in names:
            names |= set(earlier.after)
            found.append(earlier)
    return found[::-1]


class _OfTask:
    """The part of a plan that is of one task."""

    def __init__(self, config: Config, name: str) -> None:
        self.config, self.name, self.task = config, name, under(TASKS[name], config.budget)
        self.seeds = seeds(config, name)

    def plan(self) -> Plan:
        reasons = {method: lacks(self.task, METHODS[method].about) for method in self.config.methods}
        methods = _before(method for method, reason in reasons.items() if not reason)
        places = {method: self._places(method, methods) for method in methods}
        jobs = [job for method in methods for job in (*self._trials(method), *self._points(method, places[method]))]
        skipped = (Skipped(self._points(name, self._asked(name)), reason) for name, reason in reasons.items() if reason)
        return Plan((*self._nets(methods, jobs), *jobs), tuple(skipped))

    def _asked(self, method: str) -> list[Place]:
        """The points of a curve that the config asks for; none of one that is there only to be copied."""
        asked = strengths(self.config, self.name, method) if method in self.config.methods else ()
        return [(strength, seed) for strength in asked for seed in self.seeds]

    def _places(self, method: str, methods: Sequence[str]) -> list[Place]:
        """The points of a curve: those asked for, and those that its controls copy, also in their trials."""
        places = self._asked(method)
        for control in methods:
            if METHODS[control].about.copies == method:
                places += self._places(control, methods)
                tuned = self._tuning(control)
                places += [(tuned.strength, tuned.seed)] if tuned else []
        return list(dict.fromkeys(places))

    def _tuning(self, method: str) -> Trials | None:
        settings, own = trials(self.config, method), sweep(self.name, method)
        return Trials(TUNED_SEED, own[len(own) // 2], settings) if settings else None

    def _trials(self, method: str) -> tuple[Job, ...]:
        tuning = self._tuning(method)
        if tuning is None:
            return ()
        made = partial(self._job, "trial", method, (tuning.strength, tuning.seed))
        return tuple(made(settings=one) for one in tuning.settings)

    def _points(self, method: str, places: Iterable[Place]) -> tuple[Job, ...]:
        tuned = tuple(job.name for job in self._trials(method))
        return tuple(self._job("point", method, place, tuned) for place in places)

    def _job(self, kind: Any, method: str, place: Place, after: tuple[str, ...] = (), **facts: Any) -> Job:
        """A trial or a point, after the nets of its seed, what it copies, and the jobs of `after`."""
        about, (strength, seed) = METHODS[method].about, place
        copied = self._job("point", about.copies, place) if about.copies else None
        nets = [self._net(kind, seed).name for kind in self._kinds(about)]
        job = Job(
            kind=kind,
            method=method,
            options=options(self.config, method),
            tuning=self._tuning(method),
            strength=strength,
            seed=seed,
            copied=copied,
            trajectory=strengths(self.config, self.name, method) if about.nested else (),
            steps=steps(self.task, about),
            **self._shared(),
            **facts,
        )
        waits = [one.name for one in (copied, job.previous) if one]
        return replace(job, after=(*nets, *waits, *after))

    def _kinds(self, about: Description) -> tuple[Any, ...]:
        return ("dense", "teacher") if self.task.teacher is not None and "teacher" in about.needs else ("dense",)

    def _net(self, kind: Any, seed: int) -> Job:
        return Job(kind=kind, seed=seed, steps=self.task.dense.steps, **self._shared())

    def _nets(self, methods: Iterable[str], jobs: Iterable[Job]) -> list[Job]:
        """The dense nets of all seeds, then the teachers that some method wants."""
        wanted = dict.fromkeys((*self.seeds, *(job.seed for job in jobs)))
        kinds = dict.fromkeys(("dense", *(kind for method in methods for kind in self._kinds(METHODS[method].about))))
        return [self._net(kind, seed) for kind in kinds for seed in wanted]

    def _shared(self) -> dict[str, Any]:
        config = self.config
        return {"task": self.name, "budget": config.budget, "loop": config.loop, "files": config.files}


def _before(methods: Iterable[str]) -> list[str]:
    """The methods, each after the one that it copies, which is added where it is missing."""
    found: list[str] = []
    for method in methods:
        copied = METHODS[method].about.copies
        found += [name for name in (*(_before([copied]) if copied else ()), method) if name not in found]
    return found
