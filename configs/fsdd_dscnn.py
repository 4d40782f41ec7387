"""DS-CNN on the Free Spoken Digit Dataset, the official split.

Paper: none for this split; the net is that of Zhang et al. 2017 (arXiv 1711.07128). Command:

    python -m benchmarks.run --config=configs/fsdd_dscnn.py

Expected: dense 97.6 % over three seeds. Time: an hour and a half on one core.
"""

from benchmarks.plan.config import Config
from configs.base import board


def get_config(arg: str = "") -> Config:
    return board("fsdd_dscnn", arg=arg)
