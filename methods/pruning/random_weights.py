"""Random pruning, the control of every unstructured method: as many weights in each layer, arbitrary ones.

It copies a finished run, of the same strength and seed: how many weights that run keeps of each layer, and with them
its allocation, which by itself may make a method look good. What is left to compare is the choice within a layer.
"""

from collections.abc import Mapping
from functools import partial

import jax

from methods.arrays.allocation import Allocation, Shapes, explicit
from methods.arrays.masks import masks
from methods.base import Description, Entry, Method, Problem
from methods.flaxnet import COMPILE_QUICKLY
from methods.paths import KERNELS, keys
from methods.pruning.masked import FROM_BIRTH, UNSTRUCTURED, fixed, gradual, prunable, shapes_of


def scores(key: jax.Array, weights: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
    """Returns a score in [0, 1) for each weight, float32 by path, whatever the weights."""
    return {path: jax.random.uniform(k, weights[path].shape) for path, k in keys(key, weights).items()}


_drawn = jax.jit(scores, compiler_options=COMPILE_QUICKLY)


@partial(jax.jit, compiler_options=COMPILE_QUICKLY)
def drawn_masks(key: jax.Array, weights: Mapping[str, jax.Array], kept: Allocation) -> dict[str, jax.Array]:
    """Returns masks, bool by path, that keep arbitrary weights.

    Args:
      key: of the draw.
      weights: by path.
      kept: how many are kept.
    """
    return masks(scores(key, weights), kept)


def random(selector: str = KERNELS) -> Method:
    """Returns gradual pruning, down to the counts of `problem.copied`, in an order drawn once from the seed.

    So what is pruned stays pruned. Each layer follows the schedule in proportion.
    """
    return gradual(_drawn, lambda drawn, weights: drawn, _copied, selector)


def random_fixed(selector: str = KERNELS) -> Method:
    """Returns pruning before training to the counts of `problem.copied`: the control of what is sparse from birth."""

    def choose(key, problem, variables, strength):
        weights = prunable(variables, selector)
        return drawn_masks(key, weights, _copied(problem, shapes_of(weights), *strength))

    return fixed(choose)


def _copied(problem: Problem, shapes: Shapes, sparsity: jax.Array) -> Allocation:
    if problem.copied is None:
        raise ValueError("random pruning copies the counts of a finished run, and none was given (problem.copied)")
    return explicit(shapes, problem.copied)


def copying(method: str, about: Description = UNSTRUCTURED) -> Entry:
    """Returns the row of the random control of another method, named "random@<method>".

    Args:
      method: whose run is copied.
      about: what that method is: masks are random from the start where it trains from birth.
    """
    return Entry(random_fixed if about.budget == "full" else random, about._replace(copies=method))


METHODS: dict[str, Entry] = {
    "random@magnitude": copying("magnitude"),
    "random@snip": copying("snip", FROM_BIRTH),
    "random@rigl": copying("rigl", FROM_BIRTH),
}
