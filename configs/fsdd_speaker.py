"""DS-CNN on the Free Spoken Digit Dataset, each of the six voices left out of training in turn: the honest hard one.

Paper: none. Report each voice; the mean over the six must reach 65 %. Command:

    python -m benchmarks.run --config=configs/fsdd_speaker.py

Expected: dense 72.4 %, the mean over voices and three seeds; of each voice 64.3 (george), 71.7 (jackson), 71.1 (lucas),
66.5 (nicolas), 80.4 (theo), 80.4 % (yweweler). On the board so far: dense. Time: 40 minutes on one core for it.
"""

from benchmarks.plan.config import Config
from configs.base import board
from tasks.data.fsdd import SPEAKERS


def get_config(arg: str = "") -> Config:
    return board(*(f"fsdd_speaker_{speaker}" for speaker in SPEAKERS), arg=arg)
