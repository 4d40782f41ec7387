"""BC-ResNet-1 on Speech Commands v2 with 12 classes.

Paper: Kim et al. 2021 (arXiv 2106.04140, table 1): 96.9 % accuracy. Command:

    python -m benchmarks.run --config=configs/speech_commands_bcresnet.py

Expected: the dense net reaches its bar. Not run on the board yet.
"""

from benchmarks.plan.config import Config
from configs.base import board


def get_config(arg: str = "") -> Config:
    return board("speech_commands_bcresnet", arg=arg)
