"""Random pruning, the control of every unstructured method: as many weights in each layer, arbitrary ones.

It copies a finished run, of the same strength and seed: how many weights that run keeps of each layer, and with them
its allocation, which by itself may make a method look good. What is left to compare is the choice within a layer.
"""

from functools import partial

import jax

from methods.arrays.allocation import Allocation, Shapes, explicit
from methods.base import Entry, Method, Problem
from methods.flaxnet import COMPILE_QUICKLY
from methods.paths import KERNELS, keys
from methods.pruning.masked import UNSTRUCTURED, gradual


def random(selector: str = KERNELS) -> Method:
    """Returns gradual pruning, down to the counts of `problem.copied`, in an order drawn once from the seed.

    So what is pruned stays pruned. Each layer follows the schedule in proportion.
    """

    @partial(jax.jit, compiler_options=COMPILE_QUICKLY)
    def start(key, weights):
        return {path: jax.random.uniform(k, weights[path].shape) for path, k in keys(key, weights).items()}

    return gradual(start, lambda scores, weights: scores, _copied, selector)


def _copied(problem: Problem, shapes: Shapes, sparsity: jax.Array) -> Allocation:
    if problem.copied is None:
        raise ValueError("random pruning copies the counts of a finished run, and none was given (problem.copied)")
    return explicit(shapes, problem.copied)


def copying(method: str) -> Entry:
    """Returns the row of the random control of another method, named "random@<method>"."""
    return Entry(random, UNSTRUCTURED._replace(copies=method))


METHODS: dict[str, Entry] = {"random@magnitude": copying("magnitude")}
