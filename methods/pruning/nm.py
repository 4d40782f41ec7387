"""N:M sparsity, a pattern that hardware runs fast: of every M weights that a product sums over, N are kept.

The N largest |w| at once, then recovery under these masks. Mishra et al. 2021 (arXiv 2104.08378, §4). Which M weights
make a group: see `methods/arrays/patterns.py`. A table that is looked up has the pattern along its rows, as what
multiplies by it would sum over them.
"""

import warnings
from collections.abc import Callable, Mapping
from functools import partial

import jax
import jax.numpy as jnp
from flax import struct

from methods.arrays.patterns import Pattern, left_over, pattern_mask
from methods.base import RATES, Description, Entry, Fallback, Method, Problem, PyTree, Shipped
from methods.flaxnet import COMPILE_QUICKLY
from methods.paths import KERNELS, flatten, note_left, replace, select, with_params
from methods.pruning.masked import Masks, fixed
from methods.pruning.random_weights import scores
from methods.transforms.patterned import pack_pattern
from methods.uses.axes import shared_axes

Axes = tuple[tuple[str, tuple[int, ...]], ...]
"""(path, axes along which the pattern runs) of each weight: static, hence no mapping."""


@struct.dataclass
class Chosen:
    """What stays."""

    masks: Masks
    axes: Axes = struct.field(pytree_node=False)


def nm(kept: int, of: int, selector: str = KERNELS) -> Method:
    """Returns N:M pruning by magnitude. It has no strength.

    Args:
      kept: N.
      of: M.
      selector: pattern of the paths of the weights to prune.
    """
    return _by(lambda key, weights: weights, Pattern(kept, of), selector)


def random_nm(kept: int, of: int, selector: str = KERNELS) -> Method:
    """Returns N:M pruning of arbitrary weights, drawn from the seed: whether magnitude matters. It has no strength.

    Args:
      kept: N.
      of: M.
      selector: pattern of the paths of the weights to prune.
    """
    return _by(scores, Pattern(kept, of), selector)


def _by(score: Callable[[jax.Array, Mapping[str, jax.Array]], Mapping], pattern: Pattern, selector: str) -> Method:
    @partial(jax.jit, static_argnums=2, compiler_options=COMPILE_QUICKLY)
    def masks(key, weights, axes):
        scored = score(key, weights)
        return {path: pattern_mask(jnp.abs(scored[path]), along, pattern) for path, along in axes}

    def choose(key, problem, variables, strength):
        weights = select(variables["params"], selector)
        axes = pattern_axes(problem, variables, weights, pattern, selector)
        return Chosen(masks(key, weights, axes), axes)

    method = fixed(choose, lambda chosen: chosen.masks)
    return method._replace(
        export=lambda state, shipped: packed(method.export(state, shipped), state.fixed.axes, pattern)
    )


def packed(shipped: Shipped, axes: Axes, pattern: Pattern) -> Shipped:
    """Returns `shipped` with its weights, masked already, as values and places.

    Args:
      shipped: what is to ship.
      axes: along which the pattern of each weight runs.
      pattern: N:M.
    """
    params = shipped.variables["params"]
    leaves = flatten(params)
    patterned = {path: pack_pattern(leaves[path], along, pattern) for path, along in axes}
    return shipped._replace(variables=with_params(shipped.variables, replace(params, patterned)))


def pattern_axes(
    problem: Problem, variables: PyTree, weights: Mapping[str, jax.Array], pattern: Pattern, selector: str
) -> Axes:
    """Returns the axes along which the pattern runs: all that one output sums over. Not in-graph.

    Warns of a `Fallback` that names the weights of which something is left over, and stays dense.

    Args:
      problem: its net and example say which axes these are.
      variables: of the net.
      weights: by path.
      pattern: N:M.
      selector: that has chosen the weights.
    """
    note_left(variables["params"], selector)
    axes = tuple(shared_axes(problem.net, variables, problem.example, weights).items())
    rests = [(path, *left_over(weights[path].shape, along, pattern)) for path, along in axes]
    if named := ", ".join(f"{path} ({rest} of {length})" for path, rest, length in rests if rest):
        said = f"no whole group of {pattern.of} is left at the end of what one output sums over"
        warnings.warn(Fallback(f"{said}, so that weights stay dense there: {named}"), stacklevel=2)
    return axes


PATTERNED = Description(
    family="pruning",
    knobs=(),
    sweep=((),),
    budget="recovery",
    changes=frozenset({"weights"}),
    trials=RATES,
)


def rows(n: int, m: int) -> dict[str, Entry]:
    """Returns the rows of a pattern: by magnitude, and its random control."""
    control = f"random@nm_{n}_{m}"
    about = PATTERNED._replace(control=control, paper="mishra2021accelerating")
    return {f"nm_{n}_{m}": Entry(partial(nm, n, m), about), control: Entry(partial(random_nm, n, m), PATTERNED)}


METHODS: dict[str, Entry] = {**rows(2, 4), **rows(4, 8)}
