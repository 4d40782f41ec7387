"""nanoGPT's preset for GPUs on the characters of Tiny Shakespeare. Wants a GPU.

Paper: Karpathy 2022, nanoGPT: loss 1.47 nats per character. Command:

    python -m benchmarks.run --config=configs/shakespeare_gpt.py

Expected: the dense net reaches its bar. Not run on the board yet.
"""

from benchmarks.plan.config import Config
from configs.base import board


def get_config(arg: str = "") -> Config:
    return board("shakespeare_gpt", arg=arg)
