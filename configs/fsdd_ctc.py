"""A small Conformer on connected digits, by CTC.

Paper: none; the task is the suite's own. The net is that of Gulati et al. 2020 (arXiv 2005.08100). Command:

    python -m benchmarks.run --config=configs/fsdd_ctc.py

Expected: dense 1.0 % over three seeds. Time: an hour and a half on one core.
"""

from benchmarks.config import Config
from configs.base import board

# Three of each sweep, as a step takes long.
STRENGTHS = {
    "lsq": (4, 3, 2),
    **dict.fromkeys(("magnitude", "random"), (0.5, 0.8, 0.9)),
    **dict.fromkeys(("channels", "kd", "student"), (0.75, 0.5, 0.25)),
    "magnitude_rtn": ((0.5, 8), (0.5, 4), (0.75, 4)),
}


def get_config(arg: str = "") -> Config:
    return board("fsdd_ctc", arg=arg, strengths=STRENGTHS)
