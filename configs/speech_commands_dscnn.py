"""DS-CNN-S on Speech Commands v2 with 12 classes: the keyword spotting of MLPerf Tiny.

Paper: Banbury et al. 2021 (arXiv 2106.07597): 90 % is the bar of the benchmark. Command:

    python -m benchmarks.run --config=configs/speech_commands_dscnn.py

Expected: the dense net reaches its bar. Not run on the board yet.
"""

from benchmarks.plan.config import Config
from configs.base import board


def get_config(arg: str = "") -> Config:
    return board("speech_commands_dscnn", arg=arg)
