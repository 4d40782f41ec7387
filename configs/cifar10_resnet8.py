"""ResNet-8 on CIFAR-10: the image classifier of MLPerf Tiny.

Paper: Banbury et al. 2021 (arXiv 2106.07597): 85 % is the bar of the benchmark, after 500 epochs. Command:

    python -m benchmarks.run --config=configs/cifar10_resnet8.py

Expected: dense 79.2 % over two seeds. On the board the methods that train have seed 0 alone, as a step of 128 images
takes 0.3 s on one core. Time: an hour for a dense net, two for the rest of a seed.
"""

from benchmarks.plan.config import Config
from configs.base import THREE_OF_EACH, board


def get_config(arg: str = "") -> Config:
    return board("cifar10_resnet8", arg=arg, strengths=THREE_OF_EACH)
