"""784-800-800-10 on MNIST: the student of the first distillation paper, its teacher with 1200-1200 neurons.

Paper: Hinton et al. 2015 (arXiv 1503.02531, §3): 146 errors of 10,000 without regularization. Command:

    python -m benchmarks.run --config=configs/mnist_mlp800.py

Expected: the dense net reaches its bar. Not run on the board yet.
"""

from benchmarks.plan.config import Config
from configs.base import board


def get_config(arg: str = "") -> Config:
    return board("mnist_mlp800", arg=arg)
