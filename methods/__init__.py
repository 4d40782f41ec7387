"""Every method by name, in the order of runs and tables. A new method adds one row to its family's `METHODS`."""

from methods import chains, dense, distillation, pruning, quantization
from methods.base import Entry

METHODS: dict[str, Entry] = {
    **dense.METHODS,
    **quantization.METHODS,
    **pruning.METHODS,
    **distillation.METHODS,
    **chains.METHODS,
}
