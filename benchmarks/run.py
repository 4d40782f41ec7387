"""`python -m benchmarks.run`: runs the grid of a config, writes records, prints the board. Flags only."""

import dataclasses
import os
import sys
from functools import partial
from pathlib import Path

import jax
from absl import flags

from benchmarks.cli import call
from benchmarks.config import UsageError, check, load, with_value
from benchmarks.memory import keep_freed
from benchmarks.sweep import sweep
from leaderboard import board, record, table
from leaderboard.files import write_atomically
from leaderboard.rows import strength_text
from methods import METHODS
from tasks import TASKS
from tasks.data.store.dataset import set_data_dir


def _flags() -> flags.FlagValues:
    """Flags of this program alone: another one has a --list, too."""
    values = flags.FlagValues()
    text, names = partial(flags.DEFINE_string, flag_values=values), partial(flags.DEFINE_list, flag_values=values)
    text("config", "configs/board.py", "Config file, with :arg for get_config(arg).")
    names("task", None, "Tasks instead of the config's, comma-separated.")
    names("method", None, "Methods instead of the config's, comma-separated.")
    names("strengths", None, "Strengths of the methods of --method; a chain's as 0.5+8.")
    names("seeds", None, "Seeds instead of the config's, comma-separated.")
    flags.DEFINE_multi_string(
        "set", [], "path.to.field=value: changes a field of the config; may be repeated.", flag_values=values
    )
    text("workdir", None, "Where everything goes; default runs/<name of the config>.")
    text("data_dir", None, "Where datasets are; default $SLIMBENCH_DATA, else the user's cache.")
    flags.DEFINE_bool(
        "list", False, "Print the tasks and the methods with knob and default strengths.", flag_values=values
    )
    return values


def main(values: flags.FlagValues) -> None:
    if values.list:
        print(listing())
        return
    keep_freed()
    if values.data_dir:
        set_data_dir(values.data_dir)
    config = narrowed(load(values.config), values)
    workdir = Path(values.workdir or Path("runs") / Path(values.config.partition(":")[0]).stem)
    keep_compiled(workdir)
    paths = sweep(config, workdir, "python -m " + " ".join(["benchmarks.run", *sys.argv[1:]]))
    boards = board.boards([record.read(path) for path in paths])
    write_atomically(workdir / "board.md", table.markdown(boards, []))
    print(table.text(boards))
    print(f"\nrecords: {workdir / 'records'}    board: {workdir / 'board.md'}")


def narrowed(config, values):
    """The config with --task, --method, --strengths, --seeds and --set applied. Raises UsageError."""
    changes = {"tasks": values.task, "methods": values.method}
    if values.seeds:
        changes["seeds"] = [_number("--seeds", text, int) for text in values.seeds]
    config = dataclasses.replace(config, **{field: tuple(v) for field, v in changes.items() if v})
    if values.strengths:
        if not values.method:
            raise UsageError("--strengths: needs --method, whose strengths they are")
        given = tuple(_strength(text) for text in values.strengths)
        config = dataclasses.replace(config, strengths={**config.strengths, **dict.fromkeys(values.method, given)})
    for assignment in values.set:
        config = with_value(config, assignment)
    return check(config)


def _strength(text):
    parts = tuple(_number("--strengths", part, float) for part in text.split("+"))
    return parts if len(parts) > 1 else parts[0]


def _number(flag, text, kind):
    try:
        return kind(text)
    except ValueError:
        raise UsageError(f"{flag}: {text!r} is not {'an integer' if kind is int else 'a number'}") from None


def listing() -> str:
    """Tasks with source and metric; methods with knob and default strengths."""
    width = max(map(len, (*TASKS, *METHODS))) + 2
    lines = ["tasks"]
    lines += [f"  {name:<{width}}{task.modality:<10}{task.metric.name}; {task.source}" for name, task in TASKS.items()]
    lines += ["methods"]
    for name, make in METHODS.items():
        made = make()
        lines.append(f"  {name:<{width}}{made.knob:<18}{', '.join(map(strength_text, made.strengths))}")
    return "\n".join(lines)


def keep_compiled(workdir: Path) -> None:
    """JAX's persistent compilation cache, in the workdir."""
    jax.config.update("jax_compilation_cache_dir", str((workdir / "compiled").absolute()))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


def cli(argv) -> int:
    """Exit code: 0 done, 2 the user's mistake, in one line."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return call(main, _flags(), argv, __doc__)


if __name__ == "__main__":
    sys.exit(cli(sys.argv))
