"""`python -m benchmarks.run`: runs the grid of a config, writes records, prints the board. Flags only."""

import os
import sys
from functools import partial
from pathlib import Path

import jax
import msgspec
from absl import flags

from benchmarks.cli import call, print_safely
from benchmarks.identity import identity
from benchmarks.identity.provenance import command
from benchmarks.plan import outside
from benchmarks.plan.config import Config, Strength, check
from benchmarks.plan.errors import UsageError
from benchmarks.plan.estimate import described
from benchmarks.plan.load import load, with_value
from benchmarks.plan.plan import plan
from benchmarks.sweep.sweep import sweep
from benchmarks.train import signals
from benchmarks.train.allocator import keep_freed
from leaderboard import show
from leaderboard.record import files
from leaderboard.record.layout import RECORDS, strength_text
from methods import METHODS
from tasks import TASKS
from tasks.data.store.dataset import set_data_dir


def _flags() -> flags.FlagValues:
    """Flags of this program alone: another one has a --list, too."""
    values = flags.FlagValues()
    text, names = partial(flags.DEFINE_string, flag_values=values), partial(flags.DEFINE_list, flag_values=values)
    boolean = partial(flags.DEFINE_bool, flag_values=values)
    text("config", "configs/board.py", "Config file, with :arg for get_config(arg).")
    names("task", None, "Tasks instead of the config's, comma-separated; my_task.py is a file of your own.")
    names("method", None, "Methods instead of the config's, comma-separated; my_method.py is a file of your own.")
    names("strengths", None, "Strengths of the methods of --method; a chain's as 0.5+8.")
    names("seeds", None, "Seeds instead of the config's, comma-separated.")
    flags.DEFINE_multi_string(
        "set", [], "path.to.field=value: changes a field of the config; may be repeated.", flag_values=values
    )
    text("workdir", None, "Where everything goes; default runs/<name of the config>.")
    text("data_dir", None, "Where datasets are; default $SLIMBENCH_DATA, else the user's cache.")
    flags.DEFINE_enum("retry", None, ["failed"], "Run again what failed earlier.", flag_values=values)
    boolean("dry_run", False, "Print the jobs with counts and an estimate, and run nothing.")
    boolean("list", False, "Print the tasks and the methods with knobs and default strengths.")
    return values


def main(values: flags.FlagValues) -> int:
    """Runs what the flags say. Returns the exit code: 1 if a job failed."""
    if values.list:
        print_safely(listing())
        return 0
    if values.data_dir:
        set_data_dir(values.data_dir)
    config = narrowed(load(values.config), values)
    if values.dry_run:
        print_safely(described(plan(config)))
        return 0
    identity.pin()
    keep_freed()
    workdir = Path(values.workdir or Path("runs") / Path(values.config.partition(":")[0]).stem)
    keep_compiled(workdir)
    with signals.heeded():
        done = sweep(config, workdir, command("benchmarks.run", sys.argv[1:]), retry=values.retry == "failed")
    show.print_run([files.read(path) for path in done.records], workdir / "board.md")
    print_safely(f"\nrecords: {workdir / RECORDS}    board: {workdir / 'board.md'}")
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


def keep_compiled(workdir: Path) -> None:
    """Keeps JAX's compiled programs in the workdir."""
    jax.config.update("jax_compilation_cache_dir", str((workdir / "compiled").absolute()))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


def cli(argv: list[str]) -> int:
    """Returns the exit code: 0 done, 1 a job failed, 2 the user's mistake, 70 ours, 128 + n stopped by signal n."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return call(main, _flags(), argv, __doc__)


if __name__ == "__main__":
    sys.exit(cli(sys.argv))
