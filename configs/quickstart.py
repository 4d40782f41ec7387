"""Every method family on three small tasks, in minutes: what the suite does, not what the board ranks.

Paper: none. Command: `make quickstart`, i.e. `python -m benchmarks.run --config=configs/quickstart.py`.
Expected: the dense nets reach their bars; magnitude beats random, channels beats student at equal size, lsq beats rtn
at 2 bits. Recovery is a tenth of the tasks' own, so the division is "open", and too short for kd to beat student.
Time: four and a half minutes on 2 cores.
"""

from benchmarks.plan.config import Budget, Config

BITS = ((8.0,), (4.0,), (2.0,))
SPARSITY = ((0.5,), (0.8,), (0.95,))
WIDTH = ((0.75,), (0.5,), (0.25,))


def get_config() -> Config:
    return Config(
        tasks=("digits", "pydoc", "spoken_digits"),
        methods=(
            "dense",
            "rtn",
            "rtn_static",
            "lsq",
            "magnitude",
            "random",
            "channels",
            "kd",
            "student",
            "magnitude_rtn",
        ),
        strengths={
            **dict.fromkeys(("rtn", "rtn_static", "lsq"), BITS),
            **dict.fromkeys(("magnitude", "random"), SPARSITY),
            **dict.fromkeys(("channels", "kd", "student"), WIDTH),
            "magnitude_rtn": ((0.5, 8.0), (0.8, 8.0), (0.8, 4.0)),
        },
        seeds=(0, 1),
        budget=Budget(recovery=0.1),
    )
