"""LeNet-300-100 on MNIST: the perceptron that pruning papers start from.

Paper: Han et al. 2015 (arXiv 1506.02626, table 1): 1.64 % error dense, 1.59 % with 12x fewer weights. Command:

    python -m benchmarks.run --config=configs/mnist_lenet300.py

Expected: dense 98.48 %, `magnitude` at 0.92 98.03 %, below the paper's: here every layer has the same sparsity and
recovery is 5 epochs long. Time: half an hour on one core.
"""

from benchmarks.plan.config import Config
from configs.base import board

SPARSITIES = (0.5, 0.7, 0.8, 0.9, 0.92, 0.95, 0.98)  # 0.92 is the paper's


def get_config(arg: str = "") -> Config:
    return board("mnist_lenet300", arg=arg, strengths=dict.fromkeys(("magnitude", "random"), SPARSITIES))
