"""DS-CNN on the Free Spoken Digit Dataset, each of the six voices left out of training in turn: the honest hard one.

Paper: none. Report each voice; the mean over the six must reach 65 %. Command:

    python -m benchmarks.run --config=configs/fsdd_speaker.py

Expected: the dense nets reach their bars. Not run on the board yet.
"""

from benchmarks.config import Config
from configs.base import board
from tasks.data.fsdd import SPEAKERS


def get_config(arg: str = "") -> Config:
    return board(*(f"fsdd_speaker_{speaker}" for speaker in SPEAKERS), arg=arg)
