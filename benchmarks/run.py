"""`python -m benchmarks.run`: runs the grid of a config, writes records, prints the board. Flags only."""

import dataclasses
import os
import sys
from pathlib import Path

import jax
from absl import flags

from benchmarks.config import UsageError, check, load, with_value
from benchmarks.memory import keep_freed
from benchmarks.sweep import sweep
from leaderboard import record, table
from leaderboard.files import write_atomically
from methods import METHODS
from tasks import TASKS

FLAGS = flags.FLAGS
flags.DEFINE_string("config", "configs/embedded.py", "Config file, with :arg for get_config(arg).")
flags.DEFINE_list("task", None, "Tasks instead of the config's, comma-separated.")
flags.DEFINE_list("method", None, "Methods instead of the config's, comma-separated.")
flags.DEFINE_list("strengths", None, "Strengths of the methods of --method; a chain's as 0.5+8.")
flags.DEFINE_list("seeds", None, "Seeds instead of the config's, comma-separated.")
flags.DEFINE_multi_string("set", [], "path.to.field=value: changes a field of the config; may be repeated.")
flags.DEFINE_string("workdir", None, "Where everything goes; default runs/<name of the config>.")
flags.DEFINE_bool("list", False, "Print the tasks and the methods with knob and default strengths, and stop.")


def main() -> None:
    if FLAGS.list:
        print(listing())
        return
    keep_freed()
    config = narrowed(load(FLAGS.config))
    workdir = Path(FLAGS.workdir or Path("runs") / Path(FLAGS.config.partition(":")[0]).stem)
    keep_compiled(workdir)
    paths = sweep(config, workdir, "python -m " + " ".join(["benchmarks.run", *sys.argv[1:]]))
    records = [record.read(path) for path in paths]
    write_atomically(workdir / "board.md", table.markdown(records))
    print(table.text(records))
    print(f"\nrecords: {workdir / 'records'}    board: {workdir / 'board.md'}")


def narrowed(config):
    """The config with --task, --method, --strengths, --seeds and --set applied. Raises UsageError."""
    changes = {"tasks": FLAGS.task, "methods": FLAGS.method}
    if FLAGS.seeds:
        changes["seeds"] = [_number("--seeds", text, int) for text in FLAGS.seeds]
    config = dataclasses.replace(config, **{field: tuple(v) for field, v in changes.items() if v})
    if FLAGS.strengths:
        if not FLAGS.method:
            raise UsageError("--strengths: needs --method, whose strengths they are")
        values = tuple(_strength(text) for text in FLAGS.strengths)
        config = dataclasses.replace(config, strengths={**config.strengths, **dict.fromkeys(FLAGS.method, values)})
    for assignment in FLAGS.set:
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
    lines = ["tasks"]
    lines += [f"  {name:<16}{task.modality:<10}{task.metric.name}; {task.source}" for name, task in TASKS.items()]
    lines += ["methods"]
    for name, make in METHODS.items():
        made = make()
        lines.append(f"  {name:<16}{made.knob:<18}{', '.join(map(_label, made.strengths))}")
    return "\n".join(lines)


def _label(strength):
    return "+".join(f"{part:g}" for part in (strength if isinstance(strength, tuple) else (strength,)))


def keep_compiled(workdir: Path) -> None:
    """JAX's persistent compilation cache, in the workdir."""
    jax.config.update("jax_compilation_cache_dir", str((workdir / "compiled").absolute()))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


def cli(argv) -> int:
    """Exit code: 0 done, 2 the user's mistake, in one line."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        rest = FLAGS(argv)[1:]
        if rest:
            raise UsageError(f"{rest[0]!r} is not a flag; see --help")
        main()
    except (UsageError, flags.Error) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(cli(sys.argv))
