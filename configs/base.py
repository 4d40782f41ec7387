"""What the configs of single tasks share: the board's grid, and a version of it that runs in seconds."""

from msgspec.structs import replace

from benchmarks.plan.config import Budget, Config, Loop
from tasks import TASKS

BOARD = ("dense", "rtn", "rtn_static", "lsq", "magnitude", "random", "channels", "kd", "student", "magnitude_rtn")
SMOKE_STEPS, SMOKE_BATCH = 4, 2
THREE_OF_EACH = {
    "lsq": ((4.0,), (3.0,), (2.0,)),
    **dict.fromkeys(("magnitude", "random"), ((0.5,), (0.8,), (0.9,))),
    **dict.fromkeys(("channels", "kd", "student"), ((0.75,), (0.5,), (0.25,))),
    "magnitude_rtn": ((0.5, 8.0), (0.5, 4.0), (0.75, 4.0)),
}
"""Strengths for tasks whose steps take long: three for each method that trains."""


def board(*tasks: str, arg: str = "", **changes) -> Config:
    """Every method of the board on `tasks`, its own sweep of strengths, three seeds, full budgets; `changes` replace
    fields. With arg "smoke": dense and two methods, one strength, one seed, a few steps of a few examples.

    Raises ValueError for any other arg.
    """
    config = replace(Config(tasks=tasks, methods=BOARD), **changes)
    if arg not in ("", "smoke"):
        raise ValueError(f"arg is {arg!r}; it must be 'smoke' or left out")
    return smoke(config) if arg else config


def smoke(config: Config) -> Config:
    task = TASKS[config.tasks[0]]
    dense, recovery = (SMOKE_STEPS / recipe.steps for recipe in (task.dense, task.recovery))
    return replace(
        config,
        tasks=config.tasks[:1],
        methods=("dense", "rtn", "magnitude"),
        strengths={"rtn": ((4.0,),), "magnitude": ((0.5,),)},
        seeds=(0,),
        budget=Budget(dense, recovery, batch=SMOKE_BATCH / task.dense.batch_size, examples=0.005),
        loop=Loop(log_every=SMOKE_STEPS),
    )
