"""Where a job's net or run lies in the workdir: folders are named by the identity of what is in them."""

import functools
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from benchmarks.identity import identity
from benchmarks.identity.stamps import Place
from benchmarks.plan.job import Job
from benchmarks.plan.recipes import curve_config
from benchmarks.sweep.setting import Setting
from leaderboard.record.canonical import digest
from leaderboard.record.layout import dense_folder, run_folder, trial_folder
from methods import METHODS
from methods.base import Entry, Method


def taught(job: Job, here: Setting) -> bool:
    """Returns whether a larger net of the task teaches; else the dense net does, or nobody."""
    return here.task.teacher is not None and "teacher" in METHODS[job.method].about.needs


def net_place(job: Job, here: Setting, workdir: Path, *, teacher: bool) -> Place:
    """Returns the place of the job's dense net, or of its teacher.

    Args:
      job: or a point that starts from that net.
      here: the setting of its task.
      workdir: where everything goes.
      teacher: whether the teacher is meant.
    """
    net = here.task.teacher if teacher else here.task.net
    assert net is not None, "only tasks that have a teacher are asked for it"
    whole = identity.of_net(here.task, net, job.budget, here.facts)
    key = digest(whole)
    folder = dense_folder(workdir, job.task, key, job.seed, teacher=teacher)
    return Place(folder, folder.parent, whole, key)


def point_place(job: Job, here: Setting, workdir: Path) -> Place:
    """Returns the place of a point's run.

    Args:
      job: the point; its settings, and those of the run that it copies, are chosen.
      here: the setting of its task.
      workdir: where everything goes.
    """
    whole = _identity(job, here, workdir)
    key = digest(whole)
    folder = run_folder(workdir, job.task, job.method, key, job.strength, job.seed)
    return Place(folder, folder.parents[1], whole, key)


def trial_place(job: Job, here: Setting, workdir: Path) -> Place:
    """Returns the place of a trial of settings; all trials of a curve have the same identity.

    Args:
      job: the trial.
      here: the setting of its task.
      workdir: where everything goes.
    """
    whole = _identity(replace(job, settings=None), here, workdir)
    key = digest(whole)
    folder = trial_folder(workdir, job.task, job.method, key, job.settings or {})
    return Place(folder, folder.parent, whole, key)


def _identity(job: Job, here: Setting, workdir: Path) -> dict[str, Any]:
    return identity.of_run(
        net_place(job, here, workdir, teacher=False).identity,
        method_of(job),
        curve_config(job),
        net_place(job, here, workdir, teacher=True).identity if taught(job, here) else None,
        point_place(job.copied, here, workdir).digest if job.copied else None,
    )


def method_of(job: Job) -> Method:
    """Returns the job's method: the same object for equal options, as compiled programs are found by its functions."""
    return _made(METHODS[job.method], tuple(sorted(job.arguments.items())))


@functools.lru_cache(maxsize=64)
def _made(entry: Entry, options: tuple) -> Method:
    return entry.make(**dict(options))
