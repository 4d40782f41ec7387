"""LeNet-5-Caffe on MNIST: the conv net that pruning papers start from.

Paper: Han et al. 2015 (arXiv 1506.02626, table 1): 0.80 % error dense, 0.77 % with 12x fewer weights. Command:

    python -m benchmarks.run --config=configs/mnist_lenet5.py

Expected: dense 99.37 %, `magnitude` at 0.92 98.64 %, below the paper's: here every layer has the same sparsity, also
the first with its 500 weights, and recovery is one epoch long. Time: an hour and a half on one core.
"""

from benchmarks.plan.config import Config
from configs.base import board

SPARSITIES = (0.5, 0.7, 0.8, 0.9, 0.92, 0.95, 0.98)  # 0.92 is the paper's


def get_config(arg: str = "") -> Config:
    return board("mnist_lenet5", arg=arg, strengths=dict.fromkeys(("magnitude", "random"), SPARSITIES))
