"""VGG-16 with batch norm on CIFAR-10. Wants a GPU.

Paper: Li et al. 2017 (arXiv 1608.08710, table 1): 6.75 % error dense, 6.60 % with 36 % of the weights. Command:

    python -m benchmarks.run --config=configs/cifar10_vgg16.py

Expected: the dense net reaches its bar. Not run on the board yet.
"""

from benchmarks.plan.config import Config
from configs.base import board


def get_config(arg: str = "") -> Config:
    return board("cifar10_vgg16", arg=arg)
