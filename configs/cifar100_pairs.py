"""CIFAR-100: the students of CRD's pairs, each distilled from its larger teacher. Wants a GPU.

resnet56 to resnet20, WRN-40-2 to WRN-16-2, resnet32x4 to resnet8x4, vgg13 to vgg8; `kd` at kept fraction 1 starts from
the dense student, at less it is a smaller student still.

Paper: Tian et al. 2020 (arXiv 1910.10699, table 1): KD reaches 70.66, 74.92, 73.33 and 72.98 %. Command:

    python -m benchmarks.run --config=configs/cifar100_pairs.py

Expected: the dense nets reach their bars. Not run on the board yet.
"""

from benchmarks.plan.config import Config
from configs.base import board


def get_config(arg: str = "") -> Config:
    return board("cifar100_resnet20", "cifar100_wrn16_2", "cifar100_resnet8x4", "cifar100_vgg8", arg=arg)
