"""The board's records of the embedded tasks: every method, its own sweep of strengths, three seeds, full budgets.

Paper: none; the tasks are the suite's own. Command:

    python -m benchmarks.run --config=configs/embedded.py --workdir=runs/embedded
    python -m leaderboard.submit runs/embedded && python -m leaderboard.build

Expected: the records in leaderboard/results. Time: 23 minutes on 2 cores.
"""

from benchmarks.plan.config import Config
from configs.base import board


def get_config(arg: str = "") -> Config:
    return board("digits", "pydoc", "spoken_digits", arg=arg)
