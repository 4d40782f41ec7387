"""Random pruning: the control of every unstructured pruning method. The schedule of `magnitude`, arbitrary weights."""

from functools import partial

import jax

from methods.base import Entry, Method
from methods.flaxnet import COMPILE_QUICKLY
from methods.paths import KERNELS, keys
from methods.pruning.masked import UNSTRUCTURED, gradual


def random(selector: str = KERNELS) -> Method:
    """Returns gradual pruning in an order drawn once from the seed, so that what is pruned stays pruned."""

    @partial(jax.jit, compiler_options=COMPILE_QUICKLY)
    def start(key, weights):
        return {path: jax.random.uniform(k, weights[path].shape) for path, k in keys(key, weights).items()}

    return gradual(start, lambda scores, weights: scores, selector)


RANDOM = Entry(random, UNSTRUCTURED)
