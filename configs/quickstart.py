"""Every method family on three small tasks, in minutes: what the suite does, not what the board ranks.

Paper: none. Command: `make quickstart`, i.e. `python -m benchmarks.run --config=configs/quickstart.py`.
Expected: the dense nets reach their bars; magnitude beats random, lsq beats rtn at 2 bits. Recovery is a tenth of the
tasks' own, so the division is "open", and nothing is tuned: all settings are the defaults.
Time: four and a half minutes on 2 cores, installing apart.
"""

from benchmarks.plan.config import Budget, Config

STRENGTHS = {
    **dict.fromkeys(("rtn", "rtn_static", "lsq"), ((8.0,), (4.0,), (2.0,))),  # bits
    **dict.fromkeys(("magnitude", "random@magnitude"), ((0.5,), (0.95,))),  # sparsity
    **dict.fromkeys(("channels", "random_channels"), ((0.5,),)),  # kept fraction; each compiles a net of its own
    **dict.fromkeys(("kd", "student"), ((0.25,),)),  # kept fraction; from birth, and so the longest runs
    "magnitude_rtn": ((0.5, 8.0), (0.8, 4.0)),  # sparsity, bits
}


def get_config() -> Config:
    """Returns the quickstart's grid; it takes no arg."""
    return Config(
        tasks=("digits", "pydoc", "spoken_digits"),
        methods=("dense", "finetuned", *STRENGTHS),
        strengths=STRENGTHS,
        seeds=(0, 1),
        tuning=False,
        budget=Budget(recovery=0.1),
    )
