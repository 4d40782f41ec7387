"""What a job does, as three functions: find what is there, do the work, tell of a failure."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from benchmarks.identity import identity
from benchmarks.identity.provenance import provenance
from benchmarks.plan.job import Job
from benchmarks.sweep.dense import DenseNet, load_dense, train_dense
from benchmarks.sweep.places import Place, method_of, net_place, point_place, trial_place
from benchmarks.sweep.point import run_point, with_previous
from benchmarks.sweep.setting import Setting
from benchmarks.sweep.start import Earlier, Missing, Nets, copied_counts, find_earlier, find_nets, previous_net
from benchmarks.sweep.stored import NOTHING, AnyStored, Spent, StoredDense, StoredRun, StoredTrial, load, set_aside
from benchmarks.sweep.tuning import resolved, tried
from benchmarks.train.optimize import Watch
from leaderboard.record.canonical import digest
from leaderboard.record.layout import DENSE, RUN, TRIAL
from leaderboard.record.schema import Result, Run


class Unit(NamedTuple):
    """A job with all that it needs at hand."""

    place: Place
    file: Path  # that says it is finished
    find: Callable[[], tuple[AnyStored | None, str]]  # -> (what is stored, a line about what was set aside)
    work: Callable[[Watch], AnyStored]  # -> what to store
    failed: Callable[[str], AnyStored]  # why -> what to store


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
        measured = {"checkpoint": net.checkpoint, "quality": net.quality, "bytes": net.bytes}
        return StoredDense(**facts, **measured, early={str(step): key for step, key in net.early.hashes.items()})

    def failed(why):
        return StoredDense(**facts, failure=why)

    return Unit(place, place.folder / DENSE, find, work, failed)


def trial_unit(job: Job, here: Setting, workdir: Path, command: str) -> Unit | str:
    """Returns a trial of settings; "waiting" where what it starts from is not there. If that failed, so does the trial.

    Args:
      job: of kind "trial".
      here: the setting of its task.
      workdir: where everything goes.
      command: that started this process.
    """
    nets, trial = find_nets(job, here, workdir), resolved(job, here, workdir)
    earlier = find_earlier(trial, here, workdir) if trial else None
    if nets == "waiting" or trial is None or (earlier is None and nets != "failed"):
        return "waiting"
    place, settings = trial_place(trial, here, workdir), trial.settings or {}

    def store(loss: float | None = None, cost: Spent = NOTHING, failure: str | None = None) -> StoredTrial:
        facts = {"task": job.task, "method": job.method, "identity": place.digest, "settings": settings}
        return StoredTrial(**facts, loss=loss, cost=cost, failure=failure)

    def find():
        stored, said = load(place.folder / TRIAL, StoredTrial)
        if stored and replace(stored, loss=None, cost=NOTHING, failure=None) != store():
            return None, set_aside(place.folder / TRIAL, f"it is of {stored.method} with {stored.settings}")
        return stored, said

    def work(watch):
        if isinstance(nets, str):
            raise Missing("the dense net that it starts from failed")
        assert earlier is not None  # where the nets are there
        return store(*tried(trial, here, nets, copied_counts(trial, here, workdir, earlier), watch))

    return Unit(place, place.folder / TRIAL, find, work, lambda why: store(failure=why))


def point_unit(job: Job, here: Setting, workdir: Path, command: str) -> Unit | str:
    """Returns the run of a point; "waiting" where what it starts from is not there, "failed" where a net of it failed.

    Args:
      job: of kind "point".
      here: the setting of its task.
      workdir: where everything goes.
      command: that started this process.
    """
    nets = find_nets(job, here, workdir)
    if isinstance(nets, str):
        return nets
    point = resolved(job, here, workdir)
    earlier = find_earlier(point, here, workdir) if point else None
    if point is None or earlier is None:
        return "waiting"
    return _point(point, here, workdir, nets, earlier, command)


def _point(job: Job, here: Setting, workdir: Path, nets: Nets, earlier: Earlier, command: str) -> Unit:
    place = point_place(job, here, workdir)
    files = identity.task_sources(here.task, here.task.net).files | identity.method_sources(method_of(job)).files
    ran = provenance(command, files)
    copied, previous = map(_artifact, earlier)

    def store(result: Result | None = None, failure: str | None = None) -> StoredRun:
        run = Run(
            seed=job.seed,
            dense=nets.dense.checkpoint,
            identity=place.digest,
            provenance=digest(msgspec.to_builtins(ran)),
            result=result,
            failure=failure,
            skipped=None,
        )
        facts = {"task": job.task, "method": job.method, "strength": job.strength, "provenance": ran}
        return StoredRun(**facts, copied=copied, previous=previous, run=run)

    def find():
        stored, said = load(place.folder / RUN, StoredRun)
        wrong = stored and _wrong(stored, job, place, nets.dense, copied, previous)
        return (None, set_aside(place.folder / RUN, wrong)) if wrong else (stored, said)

    def work(watch):
        starts = nets._replace(previous=previous_net(job, here, workdir, earlier))
        result = run_point(here, job, starts, copied_counts(job, here, workdir, earlier), place.folder, watch)
        return store(result=with_previous(result, earlier.previous))

    return Unit(place, place.folder / RUN, find, work, lambda why: store(failure=why))


def _artifact(run: StoredRun | None) -> str | None:
    return run.run.result.artifact if run and run.run.result else None


def _wrong(
    stored: StoredRun, job: Job, place: Place, dense: DenseNet, copied: str | None, previous: str | None
) -> str | None:
    """Why a stored run is not the job's."""
    is_of = (stored.task, stored.method, stored.strength, stored.run.seed, stored.run.identity)
    if is_of != (job.task, job.method, job.strength, job.seed, place.digest):
        return f"it is of {' '.join(map(str, is_of))}"
    if stored.run.dense != dense.checkpoint:
        return f"it started from {stored.run.dense}, the dense net is {dense.checkpoint}"
    if stored.copied != copied:
        return f"it copied the counts of {stored.copied}, the artifact is {copied}"
    if stored.previous != previous:
        return f"it went on from {stored.previous}, the artifact is {previous}"
    return None
