"""One job: names and numbers, all that an executor needs to run it."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from benchmarks.plan.config import Budget, Loop, Strength
from leaderboard.record.layout import settings_text, strength_text

TUNED_SEED = 0
"""Of every trial of settings."""


class Trials(msgspec.Struct, frozen=True):
    """What is tried before a curve is run: each of some settings at one strength and seed."""

    seed: int
    strength: Strength
    settings: tuple[dict[str, float], ...]  # the default first


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One run: a dense net, a teacher, a trial of settings or a point of a curve."""

    kind: Literal["dense", "teacher", "trial", "point"]
    task: str
    method: str = "dense"
    options: Mapping[str, Any] = {}  # all of the method's
    settings: dict[str, float] | None = None  # over the options: a trial's, or those chosen; None: not chosen yet
    tuning: Trials | None = None  # by which they are chosen; None: nothing is
    strength: Strength = ()
    seed: int
    copied: "Job | None" = None  # the point whose counts of weights this one takes
    trajectory: tuple[
        Strength, ...
    ] = ()  # of a nested curve: its strengths in order, each from where the last one ended
    budget: Budget
    loop: Loop
    files: tuple[str, ...] = ()  # that define tasks and methods outside the suite
    steps: int = 0  # of training
    after: tuple[str, ...] = ()  # names of the jobs that it waits for

    @property
    def name(self) -> str:
        """A name unique within a plan, such as "digits/lsq/4/seed0"."""
        if self.kind == "trial":
            return f"{self.task}/{self.method}/trial {settings_text(self.settings or {})}"
        what = {"dense": "dense net", "teacher": "teacher", "point": self.method}[self.kind]
        return "/".join(filter(None, (self.task, what, strength_text(self.strength), f"seed{self.seed}")))

    @property
    def previous(self) -> "Job | None":
        """The point from whose net this one goes on: that of the strength before its own in a nested curve."""
        at = self.trajectory.index(self.strength) if self.trajectory else 0
        return replace(self, strength=self.trajectory[at - 1]) if at else None

    @property
    def rate(self) -> float:
        """Factor on the recipe's learning rate."""
        return (self.settings or {}).get("rate", 1.0)

    @property
    def arguments(self) -> dict[str, Any]:
        """The method's keyword arguments: its options, and the settings in their place, each of the option's type."""
        chosen = {name: value for name, value in (self.settings or {}).items() if name != "rate"}
        return {**self.options, **{name: type(self.options[name])(value) for name, value in chosen.items()}}
