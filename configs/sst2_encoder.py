"""A small transformer encoder on SST-2, from scratch.

Paper: none; the net is the suite's own. Command:

    python -m benchmarks.run --config=configs/sst2_encoder.py

Expected: the dense net reaches its bar. Not run on the board yet.
"""

from benchmarks.config import Config
from configs.base import board


def get_config(arg: str = "") -> Config:
    return board("sst2_encoder", arg=arg)
