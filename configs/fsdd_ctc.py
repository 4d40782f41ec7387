"""A small Conformer on connected digits, by CTC.

Paper: none; the task is the suite's own. The net is that of Gulati et al. 2020 (arXiv 2005.08100). Command:

    python -m benchmarks.run --config=configs/fsdd_ctc.py

Expected: dense 1.0 % over three seeds. Time: an hour and a half on one core.
"""

from benchmarks.plan.config import Config
from configs.base import THREE_OF_EACH, board


def get_config(arg: str = "") -> Config:
    return board("fsdd_ctc", arg=arg, strengths=THREE_OF_EACH)
