"""SNIP: pruning before training, by how much the loss depends on each connection. Lee et al. 2019 (arXiv 1810.02340).

    s_j = |∂L/∂c_j| at c = 1, where c_j multiplies weight j, which is |w_j · ∂L/∂w_j|        (eqs. 3-5)

The net is as it was born and runs as it is evaluated, as in the authors' code; L is its mean loss on the calibration
data, where the paper has one batch of 100. The weights of largest score over all layers are kept, but no layer goes
below the floor of the suite's "global" allocation, which the paper does not have. Then the net trains for the full
budget.
"""

from functools import partial

import jax

from methods.arrays.masks import masks
from methods.base import Entry, Method
from methods.calibration.gradients import mean_gradient
from methods.flaxnet import COMPILE_QUICKLY
from methods.paths import KERNELS, flatten
from methods.pruning.masked import FROM_BIRTH, by_rule, fixed, prunable, shapes_of


def snip(selector: str = KERNELS, allocation: str = "global") -> Method:
    """Returns pruning by connection sensitivity. Strength: sparsity, the share of all selected weights that is zero.

    Args:
      selector: pattern of the paths of the weights to prune.
      allocation: how many each layer keeps: "global" (the paper's, but for its floor), "uniform" or "erk".
    """

    def choose(key, problem, variables, strength):
        (sparsity,) = strength
        weights = prunable(variables, selector)
        kept = by_rule(allocation)(problem, shapes_of(weights), sparsity)
        slopes = flatten(mean_gradient(problem.net, variables, problem.calibration, problem.loss, problem.tap))
        return _masks(weights, {path: slopes[path] for path in weights}, kept)

    return fixed(choose)


def sensitivities(weights: dict[str, jax.Array], slopes: dict[str, jax.Array]) -> dict[str, jax.Array]:
    """Returns |w · ∂L/∂w| by path; not divided by their sum, which changes no order."""
    return {path: abs(weight * slopes[path]) for path, weight in weights.items()}


@partial(jax.jit, compiler_options=COMPILE_QUICKLY)
def _masks(weights, slopes, kept):
    return masks(sensitivities(weights, slopes), kept)


SNIP = Entry(snip, FROM_BIRTH._replace(control="random@snip", paper="lee2019snip"))
