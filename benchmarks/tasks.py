"""`python -m benchmarks.tasks`: holds the board's registry of tasks against the tasks and their data, or writes it.

It is `leaderboard/tasks.json`. Data are fetched where they are not in place; where they cannot be had, the registry
keeps what it says of them.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from absl import flags
from msgspec.structs import replace

from benchmarks.data import define_data_dir
from benchmarks.identity.identity import Facts
from benchmarks.plan.config import Config
from benchmarks.plan.plan import plan
from benchmarks.plan.recipes import curve_config
from benchmarks.sweep.setting import task_info
from leaderboard.command import Command, call
from leaderboard.record import registry
from leaderboard.record.canonical import digest, digits
from leaderboard.record.registry import Known
from leaderboard.record.text import shortened
from tasks import TASKS
from tasks.base import Data, Task, count, fingerprint
from tasks.data.store.dataset import DataError, set_data_dir

OF_DATA = ("source", "fingerprint", "rows", "reference", "controls", "clusters")
"""Fields that only the data tell."""


def main(argv: Sequence[str]) -> int:
    """Returns the exit code: 0 done, 1 the registry differs from the tasks, 2 the user's mistake."""
    return call(_tasks, _command(), argv)


def _command() -> Command:
    values = flags.FlagValues()
    flags.DEFINE_bool("write", False, "Write the registry; without it, only say what differs.", flag_values=values)
    flags.DEFINE_string("registry", str(registry.TASKS), "The registry's file.", flag_values=values)
    define_data_dir(values)
    return Command(__doc__, values)


def _tasks(values: flags.FlagValues) -> int:
    if values.data_dir:
        set_data_dir(values.data_dir)
    path = Path(values.registry)
    before = registry.read(path) if path.exists() else {}
    after = entries(before, lambda line: print(line, file=sys.stderr))
    if values.write:
        registry.write(after, path)
        print(f"{len(after)} tasks: {path}")
        return 0
    for line in (found := drift(before, after)):
        print(line, file=sys.stderr)
    return 1 if found else 0


def entries(before: Mapping[str, Known], say: Callable[[str], None]) -> dict[str, Known]:
    """Returns the entry of every task.

    Args:
        before: what is known of tasks whose data cannot be had.
        say: called with a line for each of these.
    """
    found = {}
    for name, task in TASKS.items():
        try:
            found[name] = of_data(task)
        except DataError as error:
            known = before.get(name)
            kept = "what the registry says of them stays" if known and known.fingerprint else "the registry has none"
            say(f"{name}: its data cannot be had, {kept}; {shortened(str(error), 120)}")
            found[name] = without_data(task, known)
    return found


def of_data(task: Task) -> Known:
    """Returns the entry of a task. Raises DataError if its data cannot be had."""
    decoded = task.load()
    facts = Facts(fingerprint(decoded), {split: count(getattr(decoded, split)) for split in Data._fields})
    return registry.entry(task_info(task, decoded, facts), dense_digest(task))


def without_data(task: Task, before: Known | None) -> Known:
    """Returns the entry of a task whose data cannot be had. `before`: what was known; None of a new task."""
    new = Known(
        version=task.version,
        modality=task.modality,
        source=task.source,
        fingerprint=None,
        rows=None,
        reference=None if callable(task.reference) else digits(task.reference),
        controls=None,
        metric=task.metric.name,
        outcome=task.metric.outcome,
        higher_is_better=task.metric.higher_is_better,
        eval_batch=task.eval_batch,
        reach=task.reach,
        margin=digits(task.margin),
        window=list(task.window) if task.window else None,
        clusters=None,
        dense=dense_digest(task),
    )
    if before is None or before.version != task.version:
        return new
    return replace(new, **{field: getattr(before, field) for field in OF_DATA})


def dense_digest(task: Task) -> str:
    """Returns the digest of the record that holds a task's dense nets: closed, and of this code."""
    jobs = plan(Config(tasks=(task.name,), methods=("dense",), seeds=(0,))).jobs
    return digest(curve_config(next(job for job in jobs if job.kind == "point")))


def drift(before: Mapping[str, Known], after: Mapping[str, Known]) -> list[str]:
    """Returns a line for each field of the registry that is not what the tasks say."""
    lines = []
    for name in sorted(before.keys() | after.keys()):
        if name not in before or name not in after:
            lines.append(
                f"{name}: {'not in the registry' if name in after else 'no such task'}; mend it: {registry.WRITE}"
            )
            continue
        differing = [f for f in Known.__struct_fields__ if getattr(before[name], f) != getattr(after[name], f)]
        lines += [f"{name}: `{field}` differs from the registry; mend it: {registry.WRITE}" for field in differing]
    return lines


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
