"""`python -m benchmarks.verify`: makes one run of RECORD again, and compares.

It starts from the record's own config: dense net, method, recovery. Where all agrees, the record's `verified` says so
of this one run, with device and date; else the record stays as it is and the exit code is 1. How far it may be off:

    quality   two standard errors of the mean of the recorded outcomes, at least two test examples; 2 % of a loss.
              The dense net's, by the same amount
    bytes     not at all if the artifact is bit for bit the same; else 5 %, as training decides what is zero and packs
    MACs      not at all
"""

import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec
from absl import flags
from msgspec.structs import replace

from benchmarks.data import define_data_dir
from benchmarks.identity import provenance
from benchmarks.plan.config import Budget, Config, Strength, check
from benchmarks.plan.job import Job, Trials
from benchmarks.plan.plan import Plan, needed, plan
from benchmarks.plan.recipes import curve_config
from benchmarks.process import set_up
from benchmarks.sweep.sweep import run_plan
from benchmarks.train import signals
from benchmarks.verify.tolerances import checks
from leaderboard.command import Command, UsageError, call
from leaderboard.record.canonical import digest
from leaderboard.record.files import read, write
from leaderboard.record.layout import RUN, strength_folder, strength_text
from leaderboard.record.plausible import tolerance
from leaderboard.record.schema import Point, Record, Run, Verification
from leaderboard.record.text import plain
from tasks import TASKS
from tasks.base import fingerprint
from tasks.data.store.dataset import DataError, set_data_dir


class _Copied(msgspec.Struct):
    """The method that a control copies."""

    method: str
    options: dict


class _Asked(msgspec.Struct):
    """What is needed of a record's `config`, as `curve_config` makes it; all of it is compared later."""

    task: str
    method: str
    options: dict
    budget: Budget
    tuning: Trials | None
    copied: "_Copied | None" = None
    trajectory: tuple[Strength, ...] = ()


def main(argv: Sequence[str]) -> int:
    """Returns the exit code: 0 verified, 1 the run is another than the record says, 2 the user's mistake."""
    return call(partial(_verify, argv), _command(), argv)


def _command() -> Command:
    values = flags.FlagValues()
    text = partial(flags.DEFINE_string, flag_values=values)
    flags.DEFINE_integer("seed", 0, "Which seed is run again.", flag_values=values)
    text("strength", None, "Which strength; a chain's as 0.5+8. Without it, the record's first.")
    text("workdir", "runs/verify", "Where it runs. A dense net that is there is used; the run is always made again.")
    define_data_dir(values)
    return Command(__doc__, values, arguments=("RECORD",), mistakes=(DataError,))


def _verify(argv: Sequence[str], values: flags.FlagValues, path: str) -> int:
    """Makes the run again, compares, and marks the record."""
    if values.data_dir:
        set_data_dir(values.data_dir)
    record, workdir = read(path), Path(values.workdir)
    point, run = find(record, values.strength, values.seed)
    asked = plan_of(record, point, run.seed)
    set_up(workdir)
    check_here(record)
    with signals.heeded():
        found = run_again(asked, workdir, provenance.command("benchmarks.verify", argv))
    verification = _compare(record, found, point, run)
    if verification is None:
        print(f"not verified, the record is left as it is: {path}")
        return 1
    _mark(path, verification)
    print(f"verified on {verification.device}: {path}")
    return 0


def find(record: Record, strength: str | None, seed: int) -> tuple[Point, Run]:
    """Returns the point and the run that are meant.

    Args:
      record: that holds them.
      strength: its text; None is the record's first.
      seed: of the run.

    Raises:
      UsageError: there is none, or it failed.
    """
    points = {strength_text(point.strength): point for point in record.points}
    point = record.points[0] if strength is None else points.get(strength)
    if point is None:
        raise UsageError(f"--strength: the record has no {strength!r}; it has {', '.join(points)}")
    runs = {run.seed: run for run in point.runs if run.result is not None}
    if seed not in runs:
        known = ", ".join(map(str, runs)) or "none"
        raise UsageError(
            f"--seed: strength {strength_text(point.strength)} has no finished run of seed {seed}; it has {known}"
        )
    return point, runs[seed]


def plan_of(record: Record, point: Point, seed: int) -> Plan:
    """Returns the jobs of one run that the record's config asks for, that run last; its settings are the record's.

    Args:
      record: whose config it is.
      point: the strength.
      seed: of the run.

    Raises:
      UsageError: the config is another thing here, or not that of the record.
    """
    try:
        asked = msgspec.convert(record.config, type=_Asked)
        config = check(
            Config(
                tasks=(asked.task,),
                methods=(asked.method,),
                strengths={asked.method: asked.trajectory or (tuple(point.strength),)},
                options={one.method: one.options for one in (asked, asked.copied) if one},
                seeds=(seed,),
                budget=asked.budget,
            )
        )
    except (msgspec.ValidationError, UsageError) as error:
        raise UsageError(f"the record's config: {error}") from None
    if asked.tuning and not record.tuning:
        raise UsageError("the record's config names trials of settings, but its `tuning` does not say what was chosen")
    whole = plan(config)
    last = next(job for job in reversed(whole.jobs) if job.strength == tuple(point.strength))
    job = _with_settings(record, asked, last)
    ours = curve_config(job)
    if ours != record.config or digest(ours) != record.method.digest:
        others = sorted(key for key in ours | record.config if ours.get(key) != record.config.get(key))
        raise UsageError(
            f"the record's method digest is {record.method.digest}, that of its config is {digest(ours)} here"
            + (f"; they differ in {', '.join(others)}" if others else "")
        )
    return Plan((*needed(whole, job)[:-1], job), ())


def _with_settings(record: Record, asked: _Asked, job: Job) -> Job:
    """The run with the settings that were chosen for the record: nothing is tuned again."""
    after = tuple(name for name in job.after if "/trial " not in name)
    settings = record.tuning.settings if record.tuning else None
    return replace(job, options=asked.options, tuning=asked.tuning, settings=settings, after=after)


def check_here(record: Record) -> None:
    """Raises UsageError if what is here is not what the record ran on, or could not be named."""
    ours = provenance.provenance("", ())
    if ours.dirty or ours.commit == "unknown":
        raise UsageError("the code is not that of a commit, so that nobody could repeat this; commit first")
    task = TASKS[record.task.name]
    if task.version != record.task.version:
        raise UsageError(f"the record is of task version {record.task.version}, here it is {task.version}")
    found = fingerprint(task.load())
    if found != record.task.fingerprint:
        raise UsageError(f"the record is of data {record.task.fingerprint}, here they are {found}")


def run_again(asked: Plan, workdir: Path, command: str) -> Record:
    """Returns the record of the last run of a plan, made now in `workdir`.

    Args:
      asked: the run, after what it waits for.
      workdir: where it runs.
      command: that started this process.
    """
    job = asked.jobs[-1]
    for folder in (workdir / job.task).glob(f"{job.method}-*"):
        if re.fullmatch(rf"{re.escape(job.method)}-[0-9a-f]+", folder.name):
            (folder / strength_folder(job.strength) / f"seed{job.seed}" / RUN).unlink(missing_ok=True)
    done = run_plan(asked, workdir, command, retry=True)
    found = [made for made in map(read, done.records) if made.method.name == job.method]
    if not found:
        raise UsageError("the dense net failed here; see its line above")
    return found[0]


def _compare(record: Record, found: Record, point: Point, run: Run) -> Verification | None:
    """Prints a line per check. None if one failed."""
    assert run.result is not None  # as `find` chose it
    again = next(r for p in found.points if p.strength == point.strength for r in p.runs if r.seed == run.seed)
    if again.result is None:
        print(f"run       DIFFERS  {plain(again.failure or '')}")
        return None
    allowed = tolerance(record.task, run.result)
    nets = [next(net for net in one.dense if net.seed == run.seed) for one in (record, found)]
    made = checks(allowed, (nets[0], run.result), (nets[1], again.result))
    for one in made:
        print(f"{one.name:<10}{'ok' if one.passed else 'DIFFERS':<9}{one.said}")
    if not all(one.passed for one in made):
        return None
    return Verification(
        seed=run.seed,
        strength=point.strength,
        quality=again.result.quality,
        tolerance=allowed,
        device=found.provenance[again.provenance].device,
        commit=found.provenance[again.provenance].commit,
        date=datetime.now(UTC).date().isoformat(),
    )


def _mark(path: str, verification: Verification) -> None:
    """Into the record, in place of an earlier one of the same run on the same device."""
    record = read(path)

    def key(one):
        return strength_text(one.strength), one.seed, one.device

    others = [one for one in record.verified if key(one) != key(verification)]
    write(path, msgspec.structs.replace(record, verified=sorted([*others, verification], key=key)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
