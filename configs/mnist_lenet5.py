"""LeNet-5-Caffe on MNIST: the conv net that pruning papers start from.

Paper: Han et al. 2015 (arXiv 1506.02626, table 1): 0.80 % error dense, 0.77 % with 12x fewer weights. Command:

    python -m benchmarks.run --config=configs/mnist_lenet5.py

Expected: the dense net reaches its bar. Not run on the board yet.
"""

from benchmarks.config import Config
from configs.base import board


def get_config(arg: str = "") -> Config:
    return board("mnist_lenet5", arg=arg)
