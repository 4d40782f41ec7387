"""nanoGPT's preset for CPUs on the characters of Tiny Shakespeare.

Paper: Karpathy 2022, nanoGPT: loss 1.88 nats per character. Command:

    python -m benchmarks.run --config=configs/shakespeare_nano.py

Expected: dense 1.878 nats per character over three seeds. Time: an hour and a half on one core.
"""

from benchmarks.plan.config import Config
from configs.base import board


def get_config(arg: str = "") -> Config:
    return board("shakespeare_nano", arg=arg)
