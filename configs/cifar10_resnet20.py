"""ResNet-20 on CIFAR-10. Wants a GPU.

Paper: He et al. 2016 (arXiv 1512.03385, table 6): 8.75 % error. Command:

    python -m benchmarks.run --config=configs/cifar10_resnet20.py

Expected: the dense net reaches its bar. Not run on the board yet.
"""

from benchmarks.plan.config import Config
from configs.base import board


def get_config(arg: str = "") -> Config:
    return board("cifar10_resnet20", arg=arg)
