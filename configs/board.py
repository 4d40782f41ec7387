"""What the board ranks: every method on the named tasks, tuned, with full budgets, and the seeds and strengths of each.

Paper: each task's module in tasks/ names its own. Command:

    python -m benchmarks.run --config=configs/board.py                       # the tasks that need no download
    python -m benchmarks.run --config=configs/board.py:mnist_lenet5,pydoc    # these
    python -m benchmarks.run --config=configs/board.py:mnist_lenet5,smoke    # a few steps of a few examples
    python -m leaderboard.submit runs/board && python -m leaderboard.build

Expected: dense nets that reach their bars, and the records in leaderboard/results.
Time: four hours of training on one core for the tasks that need no download, with ten seeds; `--dry_run` estimates it.
"""

from msgspec.structs import replace

from benchmarks.plan.config import Budget, Config, Loop
from methods import METHODS
from tasks import TASKS

EMBEDDED = ("digits", "pydoc", "spoken_digits")
SMOKE = "smoke"
SMOKE_STEPS, SMOKE_BATCH = 4, 2


def get_config(arg: str = "") -> Config:
    """Returns the config for `arg`, "<task>[,<task>...][,smoke]"; without a task, for those that need no download.

    Raises ValueError for what is neither a task nor "smoke".
    """
    words = tuple(filter(None, arg.split(",")))
    if unknown := [word for word in words if word not in TASKS and word != SMOKE]:
        raise ValueError(f"{unknown[0]!r} is neither a task nor '{SMOKE}'; tasks are {', '.join(TASKS)}")
    names = tuple(word for word in words if word != SMOKE) or EMBEDDED
    config = Config(tasks=names, methods=tuple(METHODS))
    return smoke(config) if SMOKE in words else config


def smoke(config: Config) -> Config:
    """Returns `config` with dense and two methods, one strength, one seed and at most SMOKE_STEPS small steps."""
    tasks = [TASKS[name] for name in config.tasks]
    dense, recovery = (SMOKE_STEPS / max(getattr(t, of).steps for t in tasks) for of in ("dense", "recovery"))
    batch = SMOKE_BATCH / max(task.dense.batch_size for task in tasks)
    return replace(
        config,
        methods=("dense", "rtn", "magnitude"),
        strengths={"rtn": ((4.0,),), "magnitude": ((0.5,),)},
        seeds=(0,),
        tuning=False,
        budget=Budget(dense, recovery, batch=batch, examples=0.005),
        loop=Loop(log_every=SMOKE_STEPS),
    )
