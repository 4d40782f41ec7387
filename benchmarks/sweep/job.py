"""One job, from its names and numbers to its file in the workdir. Whatever goes wrong in it is recorded there."""

import contextlib
import traceback
from pathlib import Path
from typing import Literal

from benchmarks.identity import stamps
from benchmarks.measure.clock import Clock
from benchmarks.plan import outside
from benchmarks.plan.job import Job
from benchmarks.sweep.locks import locked
from benchmarks.sweep.places import net_place, point_place, trial_place
from benchmarks.sweep.progress import Progress
from benchmarks.sweep.setting import Setting, setting
from benchmarks.sweep.stored import AnyStored, StoredDense, StoredTrial, save
from benchmarks.sweep.tensorboard import Scalars
from benchmarks.sweep.tuning import resolved
from benchmarks.sweep.units import Unit, net_unit, point_unit, trial_unit
from benchmarks.train.checkpoints import Checkpoints
from benchmarks.train.optimize import Keeper, Watch
from leaderboard.record.layout import DENSE, RUN, TRIAL, settings_text, strength_text
from methods import METHODS
from tasks import TASKS

FAILURE = "failure.txt"
"""Where the traceback of a failed job lies."""

Outcome = Literal["done", "failed", "waiting"]


def run_job(job: Job, workdir: Path, command: str, progress: Progress | None = None, *, retry: bool = False) -> Outcome:
    """Runs a job that is not finished yet.

    Args:
      job: what to run.
      workdir: where everything goes.
      command: that started this process, for the record.
      progress: how to report.
      retry: whether one that failed earlier is run again.

    Returns:
      "done", also if it was finished already; "failed", with its reason in its file; "waiting" if another process is
      at it, or a job that it waits for is not finished.
    """
    for file in job.files:
        outside.add(file)
    progress = progress or Progress(job.steps)
    noun = {"dense": "dense net", "teacher": "teacher"}.get(job.kind, job.method)
    tried = f"trial {settings_text(job.settings or {})}" if job.kind == "trial" else ""
    progress.at(job.task, noun, strength_text(job.strength), f"seed {job.seed}", tried)
    here = setting(TASKS[job.task], job.budget)
    unit = {"trial": trial_unit, "point": point_unit}.get(job.kind, net_unit)(job, here, workdir, command)
    if unit == "waiting":
        return "waiting"
    if isinstance(unit, str):
        progress.say("NOT RUN: the dense net that it starts from failed")
        progress.skip(job.steps)
        return "failed"
    if (reason := stamps.reason(unit.place)) is not None:
        progress.say(reason)
    with locked(unit.place.folder) as ours:
        return _held(job, unit, progress, retry) if ours else "waiting"


def finished(job: Job, here: Setting, workdir: Path) -> bool:
    """Returns whether the job's file is there, whatever it says.

    Args:
      job: the job.
      here: the setting of its task.
      workdir: where everything goes.
    """
    if job.kind in ("dense", "teacher"):
        return (net_place(job, here, workdir, teacher=job.kind == "teacher").folder / DENSE).exists()
    job_now = resolved(job, here, workdir)
    if job_now is None:
        return False
    if job.kind == "trial":
        return (trial_place(job_now, here, workdir).folder / TRIAL).exists()
    return (point_place(job_now, here, workdir).folder / RUN).exists()


def _held(job: Job, unit: Unit, progress: Progress, retry: bool) -> Outcome:
    stored, said = unit.find()
    if said:
        progress.say(said)
    if stored and not (stored.failure and retry):
        progress.skip(job.steps)
    else:
        stamps.stamp(unit.place)
        stored = _attempt(job, unit, progress)
        save(unit.file, stored)
    # also of a job that was finished already: a process may have been killed before it had removed them
    _checkpoints(job, unit.file.parent).delete()
    return "failed" if stored.failure else "done"


def _checkpoints(job: Job, folder: Path) -> Checkpoints:
    of_round = job.steps // METHODS[job.method].about.rounds
    return Checkpoints(folder / "checkpoints", job.loop.checkpoint_s, job.loop.keep, of_round)


def _attempt(job: Job, unit: Unit, progress: Progress) -> AnyStored:
    """What the work came to: its result, or why there is none."""
    folder, reached = unit.file.parent, 0
    checkpoints, scalars = _checkpoints(job, folder), Scalars(folder)

    def resumed(step):
        nonlocal reached
        progress.say(f"goes on at step {step} of {job.steps}")
        progress.skip(step - reached)
        scalars.resume(step)
        reached = step

    def report(step, losses):
        progress.step(len(losses), step, job.steps, float(losses[-1]))
        scalars.add(step, loss=float(losses.mean()))

    clock = Clock()
    watch = Watch(job.loop, clock, report, Keeper(checkpoints, clock, resumed))
    with contextlib.closing(checkpoints), contextlib.closing(scalars):
        try:
            stored = unit.work(watch)
        except Exception as error:
            (folder / FAILURE).write_text(traceback.format_exc(), "utf-8")
            why = " ".join(f"{type(error).__name__}: {error}".split())[:1000]
            progress.say(f"FAILED: {why}; see {folder / FAILURE}")
            return unit.failed(why)
    (folder / FAILURE).unlink(missing_ok=True)
    _announce(stored, progress)
    return stored


def _announce(stored: AnyStored, progress: Progress) -> None:
    if isinstance(stored, StoredTrial):
        return progress.say("diverged" if stored.loss is None else f"loss on valid {stored.loss:.4f}")
    if isinstance(stored, StoredDense):
        return progress.say(f"quality {stored.quality:.4f}, {stored.bytes} bytes")
    result = stored.run.result
    assert result is not None
    milliseconds = f"{result.latency.batch.median_ms:.2f} ms {result.execution}"
    return progress.say(f"quality {result.quality:.4f}, {result.bytes} bytes, {milliseconds}")
