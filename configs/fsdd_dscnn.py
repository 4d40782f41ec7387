"""DS-CNN on the Free Spoken Digit Dataset, the official split.

Paper: none for this split; the net is that of Zhang et al. 2017 (arXiv 1711.07128). Command:

    python -m benchmarks.run --config=configs/fsdd_dscnn.py

Expected: the dense net reaches its bar. Not run on the board yet.
"""

from benchmarks.config import Config
from configs.base import board


def get_config(arg: str = "") -> Config:
    return board("fsdd_dscnn", arg=arg)
