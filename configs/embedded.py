"""The board's records of the embedded tasks: every method, its own sweep of strengths, three seeds, full budgets.

Paper: none; the tasks are the suite's own. Command:

    python -m benchmarks.run --config=configs/embedded.py --workdir=runs/embedded
    cp -r runs/embedded/records/* leaderboard/results/ && python -m leaderboard.build

Expected: the dense nets reach their bars; the records are not committed yet. Time: not measured yet.
"""

from benchmarks.config import Config
from methods import METHODS


def get_config() -> Config:
    return Config(tasks=("digits", "pydoc", "spoken_digits"), methods=tuple(METHODS))
