"""Every method by name, in the order of runs and tables. A new method adds one row to its family's `METHODS`."""

from methods import chains, distillation, pruning, quantization
from methods.base import Entry
from methods.dense import DENSE

METHODS: dict[str, Entry] = {
    "dense": DENSE,
    **quantization.METHODS,
    **pruning.METHODS,
    **distillation.METHODS,
    **chains.METHODS,
}
