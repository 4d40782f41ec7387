"""`python -m benchmarks.verify RECORD`: makes one run of a record again, and compares.

It starts from the record's own config: dense net, method, recovery. Where all agrees, the record's `verified` says so
from then on; else the record stays as it is and the exit code is 1. How far it may be off:

    quality   two standard errors of the mean of the recorded outcomes, at least two test examples; 2 % of a loss.
              The dense net's, by the same amount
    bytes     not at all if the artifact is bit for bit the same; else 5 %, as training decides what is zero and packs
    MACs      not at all
"""

import dataclasses
import json
import os
import sys
from functools import partial
from pathlib import Path

import msgspec
from absl import flags

from benchmarks import records
from benchmarks.agreement import checks, tolerance
from benchmarks.cli import call
from benchmarks.config import Budget, Config, UsageError, check, resolved
from benchmarks.memory import keep_freed
from benchmarks.run import keep_compiled
from benchmarks.sweep import sweep
from leaderboard.cells import plain
from leaderboard.record import RecordError, digest, read, write
from leaderboard.rows import strength_text
from leaderboard.schema import Point, Record, Run, Verification
from tasks import TASKS
from tasks.base import Recipe, fingerprint
from tasks.data.store.dataset import set_data_dir


class _Resolved(msgspec.Struct):
    """What is needed of a record's `config`, as `benchmarks.config.resolved` makes it; all of it is compared later."""

    task: str
    task_version: int
    method: str
    options: dict
    dense: Recipe
    recovery: Recipe | None


def _flags() -> flags.FlagValues:
    """Flags of this program alone: another one has a --seed, too."""
    values = flags.FlagValues()
    text = partial(flags.DEFINE_string, flag_values=values)
    flags.DEFINE_integer("seed", 0, "Which seed is run again.", flag_values=values)
    text("strength", None, "Which strength; a chain's as 0.5+8. Default: the record's first.")
    text("workdir", "runs/verify", "Where it runs. A dense net that is there is used; the run is always made again.")
    text("data_dir", None, "Where datasets are; default $SLIMBENCH_DATA, else the user's cache.")
    return values


def main(values: flags.FlagValues, path: str) -> int:
    if values.data_dir:
        set_data_dir(values.data_dir)
    record = _read(path)
    point, run = find(record, values.strength, values.seed)
    config = config_of(record, point, run.seed)
    _check_here(record)
    keep_freed()
    keep_compiled(Path(values.workdir))
    found = run_again(config, Path(values.workdir))
    verification = _compare(record, found, point, run)
    if verification is None:
        print(f"not verified, the record is left as it is: {path}")
        return 1
    _mark(path, verification)
    print(f"verified on {verification.device}: {path}")
    return 0


def _read(path) -> Record:
    try:
        return read(path)
    except RecordError as error:
        raise UsageError(str(error)) from None


def find(record: Record, strength: str | None, seed: int) -> tuple[Point, Run]:
    """The point and run that are meant. Raises UsageError if there is none, or it failed."""
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


def config_of(record: Record, point: Point, seed: int) -> Config:
    """The grid of one run that the record's config asks for. Raises UsageError if it is another thing here."""
    try:
        asked = msgspec.convert(record.config, type=_Resolved)
        config = _config(asked, point, seed)
    except (msgspec.ValidationError, UsageError) as error:
        raise UsageError(f"the record's config: {error}") from None
    if (asked.task, asked.method) != (record.task.name, record.method.name):
        raise UsageError(f"the record's config is of {asked.method} on {asked.task}")
    if record.division == "closed" and config.budget != Budget():
        raise UsageError("the record is of the closed division, but its config has other budgets than the task")
    ours = json.loads(json.dumps(resolved(config, asked.task, asked.method)))
    if ours != record.config or digest(ours) != record.method.digest:
        others = sorted(key for key in ours | record.config if ours.get(key) != record.config.get(key))
        raise UsageError(
            f"the record's method digest is {record.method.digest}, that of its config is {digest(ours)} here"
            + (f"; they differ in {', '.join(others)}" if others else "")
        )
    return config


def _config(asked: _Resolved, point: Point, seed: int) -> Config:
    """`check` tells of a task or method that is not known, before anything else is asked of it."""
    strength = tuple(point.strength) if isinstance(point.strength, list) else point.strength
    config = Config(
        tasks=(asked.task,),
        methods=(asked.method,),
        strengths={asked.method: (strength,)},
        options={asked.method: asked.options},
        seeds=(seed,),
    )
    task = TASKS[check(config).tasks[0]]
    recovery = asked.recovery.steps / task.recovery.steps if asked.recovery else 1.0
    budget = Budget(dense=asked.dense.steps / task.dense.steps, recovery=recovery)
    return check(dataclasses.replace(config, budget=budget))


def _check_here(record: Record) -> None:
    """Raises UsageError if what is here is not what the record ran on, or could not be named."""
    ours = records.provenance("")
    if ours.dirty or ours.commit == "unknown":
        raise UsageError("the code is not that of a commit, so that nobody could repeat this; commit first")
    task = TASKS[record.task.name]
    if task.version != record.task.version:
        raise UsageError(f"the record is of task version {record.task.version}, here it is {task.version}")
    found = fingerprint(task.load())
    if found != record.task.fingerprint:
        raise UsageError(f"the record is of data {record.task.fingerprint}, here they are {found}")


def run_again(config: Config, workdir: Path) -> Record:
    """The record of the one run of `config`, made now."""
    (task,), (method,), (seed,) = config.tasks, config.methods, config.seeds
    (strength,) = config.strengths[method]
    records.curve_of(config, task, method, workdir).run_file(strength, seed).unlink(missing_ok=True)
    (path,) = sweep(config, workdir, "python -m " + " ".join(["benchmarks.verify", *sys.argv[1:]]))
    return read(path)


def _compare(record: Record, found: Record, point: Point, run: Run) -> Verification | None:
    """Prints a line per check. None if one failed."""
    again = next(r for p in found.points if p.strength == point.strength for r in p.runs if r.seed == run.seed)
    if again.result is None:
        print(f"run       DIFFERS  {plain(again.failure)}")
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
        device=found.provenance.device,
        commit=found.provenance.commit,
    )


def _mark(path: str, verification: Verification) -> None:
    """Into the record, in place of an earlier one of the same run on the same device."""
    record = read(path)

    def key(one):
        return strength_text(one.strength), one.seed, one.device

    others = [one for one in record.verified if key(one) != key(verification)]
    write(path, msgspec.structs.replace(record, verified=sorted([*others, verification], key=key)))


def cli(argv) -> int:
    """Exit code: 0 verified, 1 the run is another than the record says, 2 the user's mistake, in one line."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return call(main, _flags(), argv, __doc__, takes=("RECORD",))


if __name__ == "__main__":
    sys.exit(cli(sys.argv))
