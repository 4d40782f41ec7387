"""The grid of a config: every job that is not finished, and a record for each curve."""

import os
import time
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure.programs import PROGRAMS
from benchmarks.plan.config import Config
from benchmarks.plan.job import Job
from benchmarks.plan.plan import Plan, plan
from benchmarks.sweep.assemble import assemble, skipped
from benchmarks.sweep.check import check_task
from benchmarks.sweep.job import finished, run_job
from benchmarks.sweep.progress import Progress
from benchmarks.sweep.setting import Setting, setting
from benchmarks.train import signals
from leaderboard.command import Stopped, UsageError
from leaderboard.record.files import write
from leaderboard.record.layout import RECORDS, record_file
from leaderboard.record.schema import Record
from tasks import TASKS

WAIT_S = 1.0
"""Seconds before jobs that another process is at are looked at again."""


class Swept(NamedTuple):
    """What a sweep came to."""

    records: list[Path]
    failed: list[str]  # names of jobs


def sweep(config: Config, workdir: Path, command: str, *, retry: bool = False) -> Swept:
    """Runs what is not finished, and writes a record for each curve under workdir/records.

    Args:
      config: the grid.
      workdir: where everything goes.
      command: that started this process, for the records.
      retry: whether jobs that failed earlier are run again.

    Raises:
      UsageError: something is wrong with the workdir, a task or a method, found before anything is trained.
      Stopped: a signal asked for it; what was under way is saved.
    """
    return run_plan(plan(config), workdir, command, retry=retry)


def run_plan(asked: Plan, workdir: Path, command: str, *, retry: bool = False) -> Swept:
    """Runs the jobs of a plan that are not finished; see `sweep`.

    Args:
      asked: the plan.
      workdir: where everything goes.
      command: that started this process, for the records.
      retry: whether jobs that failed earlier are run again.
    """
    check_writable(workdir)
    tasks = [(name, list(jobs)) for name, jobs in groupby(asked.jobs, lambda job: job.task)]
    for name, jobs in tasks:
        _check(name, jobs, workdir)
        if len(tasks) > 1:
            PROGRAMS.clear()
    return _Sweep(asked, workdir, command, retry).run()


def _check(name: str, jobs: list[Job], workdir: Path) -> None:
    """Tries the task and the methods that are not finished."""
    here = setting(TASKS[name], jobs[0].budget)
    if pending := [job for job in jobs if not finished(job, here, workdir)]:
        check_task(here, pending)


def check_writable(workdir: Path) -> None:
    """Makes the workdir. Raises UsageError if nothing can be written there."""
    try:
        workdir.mkdir(parents=True, exist_ok=True)
        probe = workdir / f".probe{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UsageError(f"--workdir: {workdir}: {error.strerror}; it must be a folder that can be written") from None


class _Sweep:
    def __init__(self, asked: Plan, workdir: Path, command: str, retry: bool) -> None:
        self.asked, self.workdir, self.command, self.retry = asked, workdir, command, retry
        self.progress = Progress(sum(job.steps for job in asked.jobs))
        self.records: list[Path] = []
        self.failed: list[str] = []

    def run(self) -> Swept:
        """Task after task, curve after curve; jobs that another process is at come last."""
        for i, (_, jobs) in enumerate(groupby(self.asked.jobs, lambda job: job.task)):
            if i:
                PROGRAMS.clear()
            self._task(list(jobs))
        for job in self.failed:
            self.progress.at(job)
            self.progress.say("failed")
        self.progress.close()
        return Swept(self.records, self.failed)

    def _task(self, jobs: list[Job]) -> None:
        here, waiting = setting(TASKS[jobs[0].task], jobs[0].budget), []
        for _, of_curve in groupby(jobs, _curve):
            curve = list(of_curve)
            left = self._pass(curve)
            waiting += left
            if not left:
                self._assemble(curve[0], here)
        self._wait(waiting)
        for _, of_curve in groupby(waiting, _curve):
            self._assemble(next(of_curve), here)
        for curve in self.asked.skipped:
            if curve.jobs[0].task == jobs[0].task:
                self.progress.at(curve.jobs[0].task, curve.jobs[0].method)
                self.progress.say(f"skipped: {curve.reason}")
                self._write(skipped(curve, here, self.workdir))

    def _wait(self, jobs: list[Job]) -> None:
        """Returns once no job waits for another process any more; one that has died leaves its jobs to this one."""
        while jobs:
            left = self._pass(jobs)
            if len(left) == len(jobs):
                time.sleep(WAIT_S)
            jobs = left

    def _pass(self, jobs: list[Job]) -> list[Job]:
        """Runs each job once; returns those that wait for another process."""
        waiting = []
        for job in jobs:
            if number := signals.asked():
                raise Stopped(f"stopped before {job.name}", number)
            outcome = run_job(job, self.workdir, self.command, self.progress, retry=self.retry)
            if outcome == "failed":
                self.failed.append(job.name)
            elif outcome == "waiting":
                waiting.append(job)
        return waiting

    def _assemble(self, job: Job, here: Setting) -> None:
        if job.kind == "point":
            self._write(assemble(job, here, self.workdir))

    def _write(self, record: Record | None) -> None:
        if record is not None:
            file = record_file(self.workdir / RECORDS, record.task.name, record.method.name, record.method.digest)
            write(file, record)
            self.records.append(file)


def _curve(job: Job) -> tuple[str, str]:
    """What the jobs of a curve share, within a task."""
    return job.kind, job.method
