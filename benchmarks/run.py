"""`python -m benchmarks.run`: runs the grid of a config, writes records, prints the board."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec
from absl import flags

from benchmarks.data import define_data_dir
from benchmarks.identity import provenance
from benchmarks.plan import outside
from benchmarks.plan.config import Config, Strength, check
from benchmarks.plan.estimate import described
from benchmarks.plan.load import load, with_value
from benchmarks.plan.plan import plan
from benchmarks.process import set_up
from benchmarks.sweep.sweep import sweep
from benchmarks.train import signals
from leaderboard import show
from leaderboard.command import Command, UsageError, call
from leaderboard.record import files
from leaderboard.record.layout import RECORDS, strength_text
from methods import METHODS
from tasks import TASKS
from tasks.data.store.dataset import DataError, set_data_dir


def main(argv: Sequence[str]) -> int:
    """Returns the exit code: 0 done, 1 a job failed, 2 the user's mistake, 128 + n stopped by signal n."""
    return call(partial(_run, argv), _command(), argv)


def _command() -> Command:
    values = flags.FlagValues()
    text, names = partial(flags.DEFINE_string, flag_values=values), partial(flags.DEFINE_list, flag_values=values)
    boolean = partial(flags.DEFINE_bool, flag_values=values)
    text("config", "configs/board.py", "Config file, with :arg for get_config(arg).")
    names("task", None, "Tasks instead of the config's; my_task.py is a file of your own.")
    names("method", None, "Methods instead of the config's; my_method.py is a file of your own.")
    names("strengths", None, "Strengths of the methods of --method; a chain's as 0.5+8.")
    names("seeds", None, "Seeds instead of the config's.")
    flags.DEFINE_multi_string(
        "set", [], "path.to.field=value: changes a field of the config; may be repeated.", flag_values=values
    )
    text("workdir", None, "Where everything goes; without it, runs/<name of the config>.")
    define_data_dir(values)
    flags.DEFINE_enum("retry", None, ["failed"], "Run again what failed earlier.", flag_values=values)
    boolean("dry_run", False, "Print the jobs with counts and an estimate, and run nothing.")
    boolean("list", False, "Print the tasks, and the methods with knobs and default strengths.")
    return Command(__doc__, values, mistakes=(DataError,))


def _run(argv: Sequence[str], values: flags.FlagValues) -> int:
    if values.list:
        print(listing())
        return 0
    if values.data_dir:
        set_data_dir(values.data_dir)
    config = narrowed(load(values.config), values)
    if values.dry_run:
        print(described(plan(config)))
        return 0
    workdir = Path(values.workdir or Path("runs") / Path(values.config.partition(":")[0]).stem)
    set_up(workdir)
    with signals.heeded():
        done = sweep(config, workdir, provenance.command("benchmarks.run", argv), retry=values.retry == "failed")
    show.print_run([files.read(path) for path in done.records], workdir / "board.md")
    print(f"\nrecords: {workdir / RECORDS}    board: {workdir / 'board.md'}")
    if done.failed:
        again = "--retry=failed runs them again"
        print(f"{len(done.failed)} jobs failed: {', '.join(done.failed)}; {again}", file=sys.stderr)
    return 1 if done.failed else 0


def narrowed(config: Config, values: flags.FlagValues) -> Config:
    """Returns the config with --task, --method, --strengths, --seeds and --set applied. Raises UsageError."""
    changes: dict = {}
    named = (*(values.task or ()), *(values.method or ()))
    sources = [*config.files, *(name for name in named if name.endswith(".py"))]
    for flag, field, which in (("task", "tasks", 0), ("method", "methods", 1)):
        given = getattr(values, flag)
        if given is not None:
            changes[field] = tuple(name for text in given for name in _named(text, f"--{flag}", which))
    if values.seeds is not None:
        changes["seeds"] = tuple(_number("--seeds", text, int) for text in values.seeds)
    if values.strengths is not None:
        if not values.method:
            raise UsageError("--strengths: needs --method, whose strengths they are")
        strengths = tuple(_strength(text) for text in values.strengths)
        changes["strengths"] = {**config.strengths, **dict.fromkeys(changes["methods"], strengths)}
    config = msgspec.structs.replace(config, files=tuple(dict.fromkeys(sources)), **changes)
    for assignment in values.set:
        config = with_value(config, assignment)
    return check(config)


def _named(text: str, flag: str, which: int) -> list[str]:
    """The names that a flag's value stands for: itself, or those that a file defines."""
    if not text.endswith(".py"):
        return [text]
    names = outside.add(text, flag)[which]
    if not names:
        raise UsageError(f"{flag}: {text} defines no {('Task', 'Entry')[which]}")
    return names


def _strength(text: str) -> Strength:
    return tuple(_number("--strengths", part, float) for part in text.split("+"))


def _number(flag, text, kind):
    try:
        return kind(text)
    except ValueError:
        raise UsageError(f"{flag}: {text!r} is not {'an integer' if kind is int else 'a number'}") from None


def listing() -> str:
    """Returns the tasks with source and metric, and the methods with knobs and default strengths."""
    width = max(map(len, (*TASKS, *METHODS))) + 2
    lines = ["tasks"]
    lines += [f"  {name:<{width}}{task.modality:<10}{task.metric.name}; {task.source}" for name, task in TASKS.items()]
    lines += ["methods"]
    for name, (_, about) in METHODS.items():
        knobs = ", ".join(knob.name for knob in about.knobs) or "none"
        lines.append(f"  {name:<{width}}{knobs:<18}{', '.join(map(strength_text, about.sweep))}".rstrip())
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
