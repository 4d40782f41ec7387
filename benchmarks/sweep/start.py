"""What a point or a trial starts from, found in the workdir; and how it is optimized from there."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks.artifact.file import read_artifact
from benchmarks.measure.counts import kept
from benchmarks.plan.job import Job
from benchmarks.plan.recipes import steps, training
from benchmarks.sweep.dense import DenseNet, load_dense
from benchmarks.sweep.places import method_of, net_place, point_place, taught
from benchmarks.sweep.setting import Setting
from benchmarks.sweep.stored import StoredRun, load, set_aside
from benchmarks.train.optimize import Optimized, Watch, optimize, problem_of
from leaderboard.record.layout import ARTIFACT, RUN, strength_text
from methods import METHODS
from methods.base import Problem, Shipped, Teacher
from methods.transforms.transform import decoded


class Missing(RuntimeError):
    """A job that this one waits for has failed."""


class Nets(NamedTuple):
    """The nets of a job's seed."""

    dense: DenseNet
    teacher: Teacher | None
    previous: Shipped | None = None  # what the run before it in a nested curve has shipped


class Earlier(NamedTuple):
    """The finished runs on which a job builds, itself of the same seed."""

    copied: StoredRun | None = None  # whose counts of weights it takes
    previous: StoredRun | None = None  # from whose net it goes on


def find_nets(job: Job, here: Setting, workdir: Path) -> Nets | str:
    """Returns the nets that a job starts from; "waiting" where one is not there yet, "failed" where one failed.

    Args:
      job: a point or a trial.
      here: the setting of its task.
      workdir: where everything goes.
    """
    kinds = (False, True) if taught(job, here) else (False,)
    found = [load_dense(net_place(job, here, workdir, teacher=teacher).folder) for teacher in kinds]
    if any(stored is None for stored, *_ in found):
        return "waiting"
    dense, teacher = found[0][1], found[-1][1]
    if dense is None or teacher is None:
        return "failed"
    teaches = "teacher" in METHODS[job.method].about.needs
    return Nets(dense, Teacher(here.task.teacher or here.task.net, teacher.variables) if teaches else None)


def find_earlier(job: Job, here: Setting, workdir: Path) -> Earlier | None:
    """Returns the finished runs on which a job builds; None if one is not there yet.

    Args:
      job: a point or a trial; its settings, and those of the run that it copies, are chosen.
      here: the setting of its task.
      workdir: where everything goes.
    """
    jobs = (job.copied, job.previous)
    found = [load(point_place(one, here, workdir).folder / RUN, StoredRun)[0] if one else None for one in jobs]
    return None if any(one and run is None for one, run in zip(jobs, found, strict=True)) else Earlier(*found)


def run(
    job: Job, here: Setting, nets: Nets, copied: Mapping[str, int] | None, watch: Watch
) -> tuple[Problem, Optimized]:
    """Optimizes; returns what the method looked at, and the net that it left.

    Args:
      job: a point or a trial, its settings chosen.
      here: the setting of its task.
      nets: of its seed.
      copied: weights that the run which it copies has kept, by path.
      watch: how the run is reported, timed and kept.

    Raises:
      Diverged: a loss is not finite.
    """
    about = METHODS[job.method].about
    recipe, dense = training(here.task, about, job.rate), nets.dense
    problem = problem_of(
        here.task,
        here.data,
        steps(here.task, about),
        seed=job.seed,
        dense=dense.variables,
        early=dense.early,
        teacher=nets.teacher,
        copied=copied,
    )
    variables = problem.born if about.budget == "full" and not about.nested else dense.variables
    if nets.previous:
        problem, variables = problem._replace(net=nets.previous.net), decoded(nets.previous.variables)
    given = (here.task, method_of(job), problem, variables, job.strength, job.seed, recipe, here.data.train, watch)
    return problem, optimize(*given, rounds=about.rounds)


def copied_counts(job: Job, here: Setting, workdir: Path, earlier: Earlier) -> dict[str, int] | None:
    """Returns the weights that the copied run has kept, by path, read off its artifact; None if the job is no control.

    Args:
      job: a point or a trial; the settings of the run that it copies are chosen.
      here: the setting of its task.
      workdir: where everything goes.
      earlier: the runs on which it builds.

    Raises:
      Missing: that run failed, or its artifact is not the one that was measured.
    """
    if job.copied is None or earlier.copied is None:
        return None
    shipped = _shipped(earlier.copied, point_place(job.copied, here, workdir).folder, "which it copies")
    return kept(shipped.variables["params"])


def previous_net(job: Job, here: Setting, workdir: Path, earlier: Earlier) -> Shipped | None:
    """Returns what the run has shipped from which a point of a nested curve goes on; None if it is the first.

    Args:
      job: a point.
      here: the setting of its task.
      workdir: where everything goes.
      earlier: the runs on which it builds.

    Raises:
      Missing: that run failed, or its artifact is not the one that was measured.
    """
    if job.previous is None or earlier.previous is None:
        return None
    return _shipped(earlier.previous, point_place(job.previous, here, workdir).folder, "from which it goes on")


def _shipped(run: StoredRun, folder: Path, role: str) -> Shipped:
    what = f"{run.method} {strength_text(run.strength)} seed {run.run.seed}, {role},"
    if run.run.result is None:
        raise Missing(f"{what} failed: {run.failure}")
    content = (folder / ARTIFACT).read_bytes() if (folder / ARTIFACT).exists() else b""
    if hashlib.sha256(content).hexdigest() != run.run.result.artifact:
        raise Missing(f"{what} is damaged: {set_aside(folder / RUN, 'its artifact is not the one that was measured')}")
    return read_artifact(folder / ARTIFACT).shipped
