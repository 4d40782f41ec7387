"""What a job does, as three functions: find what is there, do the work, tell of a failure."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from benchmarks.identity import identity
from benchmarks.identity.provenance import provenance
from benchmarks.plan.plan import Job
from benchmarks.sweep.dense import DenseNet, load_dense, train_dense
from benchmarks.sweep.places import Place, method_of, net_place, point_place, taught
from benchmarks.sweep.point import run_point
from benchmarks.sweep.setting import Setting
from benchmarks.sweep.stored import StoredDense, StoredRun, load, set_aside
from benchmarks.train.optimize import Watch
from leaderboard.record.canonical import digest
from leaderboard.record.layout import DENSE, RUN
from leaderboard.record.schema import Result, Run
from methods import METHODS
from methods.base import Teacher


class Unit(NamedTuple):
    """A job with all that it needs at hand."""

    place: Place
    file: Path  # that says it is finished
    find: Callable[[], tuple[Any, str]]  # -> (what is stored, a line about what was set aside)
    work: Callable[[Watch], Any]  # -> what to store
    failed: Callable[[str], Any]  # why -> what to store


def net_unit(job: Job, here: Setting, workdir: Path, command: str) -> Unit:
    """Returns the training of a dense net or teacher.

    Args:
      job: of kind "dense" or "teacher".
      here: the setting of its task.
      workdir: where everything goes.
      command: that started this process.
    """
    place = net_place(job, here, workdir, teacher=job.kind == "teacher")
    task = here.task if job.kind == "dense" else dataclasses.replace(here.task, net=here.task.teacher)
    ran = provenance(command, identity.task_sources(task, task.net).files)
    facts = {"task": job.task, "identity": place.digest, "seed": job.seed, "provenance": ran}

    def find():
        stored, _, said = load_dense(place.folder)
        return stored, said

    def work(watch):
        net = train_dense(task, here.data, job.seed, place.folder, watch)
        return StoredDense(**facts, checkpoint=net.checkpoint, quality=net.quality, bytes=net.bytes)

    def failed(why):
        return StoredDense(**facts, failure=why)

    return Unit(place, place.folder / DENSE, find, work, failed)


def point_unit(job: Job, here: Setting, workdir: Path, command: str) -> Unit | str:
    """Returns the run of a point; "waiting" or "failed" where the nets that it needs are not there.

    Args:
      job: of kind "point".
      here: the setting of its task.
      workdir: where everything goes.
      command: that started this process.
    """
    kinds = (False, True) if taught(job, here) else (False,)
    nets = [load_dense(net_place(job, here, workdir, teacher=teacher).folder) for teacher in kinds]
    if any(stored is None for stored, *_ in nets):
        return "waiting"
    dense, teacher = nets[0][1], nets[-1][1]
    if dense is None or teacher is None:
        return "failed"
    return _point(job, here, point_place(job, here, workdir), dense, teacher, command)


def _point(job, here, place, dense: DenseNet, teacher: DenseNet, command) -> Unit:
    method, about = method_of(job), METHODS[job.method].about
    files = identity.task_sources(here.task, here.task.net).files | identity.method_sources(method).files
    ran = provenance(command, files)
    teaches = Teacher(here.task.teacher if taught(job, here) else here.task.net, teacher.variables)

    def store(result: Result | None = None, failure: str | None = None) -> StoredRun:
        run = Run(
            seed=job.seed,
            dense=dense.checkpoint,
            identity=place.digest,
            provenance=digest(msgspec.to_builtins(ran)),
            result=result,
            failure=failure,
            skipped=None,
        )
        return StoredRun(task=job.task, method=job.method, strength=job.strength, provenance=ran, run=run)

    def find():
        stored, said = load(place.folder / RUN, StoredRun)
        wrong = stored and _wrong(stored, job, place, dense)
        return (None, set_aside(place.folder / RUN, wrong)) if wrong else (stored, said)

    def work(watch):
        who = teaches if "teacher" in about.needs else None
        return store(result=run_point(here, method, about, dense, who, job.strength, place.folder, watch))

    return Unit(place, place.folder / RUN, find, work, lambda why: store(failure=why))


def _wrong(stored: StoredRun, job: Job, place: Place, dense: DenseNet) -> str | None:
    """Why a stored run is not the job's."""
    is_of = (stored.task, stored.method, stored.strength, stored.run.seed, stored.run.identity)
    if is_of != (job.task, job.method, job.strength, job.seed, place.digest):
        return f"it is of {' '.join(map(str, is_of))}"
    if stored.run.dense != dense.checkpoint:
        return f"it started from {stored.run.dense}, the dense net is {dense.checkpoint}"
    return None
