"""A small transformer encoder on SST-2, from scratch.

Paper: none; the net is the suite's own. Command:

    python -m benchmarks.run --config=configs/sst2_encoder.py

Expected: dense 80.4 % over three seeds. Time: two hours on one core.
"""

from benchmarks.plan.config import Config
from configs.base import board


def get_config(arg: str = "") -> Config:
    return board("sst2_encoder", arg=arg)
