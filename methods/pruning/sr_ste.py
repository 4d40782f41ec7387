"""SR-STE: N:M masks that follow the weights in every step. Zhou et al. 2021 (arXiv 2102.04010, eqs. 6-9).

    ŵ = m ⊙ w,   m = 1 for the N largest |w| of each M;   ∂L/∂w := ∂L/∂ŵ + λ (1 - m) ⊙ w

All weights are stored and trained, straight through the mask, and those that are masked are pulled to zero, so that
masks settle. Groups are those of `nm`, which is the control: the same pattern, its masks fixed. Deviations: it starts
from the dense net, for the budget of recovery, where the paper trains from scratch. λ is 2e-4, as in the paper, and is
tuned upwards: with AdamW the penalty goes through the moments, as does all of the gradient, and pulls less than under
the paper's SGD.
"""

from functools import partial

import jax
import jax.numpy as jnp
from flax import struct

from methods.arrays.patterns import Pattern, pattern_mask
from methods.base import Entry, Method, Settings, State
from methods.paths import KERNELS, flatten, replace, select, with_params
from methods.pruning.nm import PATTERNED, Axes, packed, pattern_axes

TRIALS: tuple[Settings, ...] = tuple(
    (("rate", rate), ("decay", decay))
    for rate, decay in ((1.0, 2e-4), (1.0, 2e-3), (1.0, 2e-2), (0.5, 2e-2), (2.0, 2e-2))
)


@struct.dataclass
class Refining:
    """What is fixed during training."""

    decay: jax.Array  # λ, float32 []
    axes: Axes = struct.field(pytree_node=False)


def sr_ste(kept: int, of: int, selector: str = KERNELS, decay: float = 2e-4) -> Method:
    """Returns N:M pruning whose masks follow the weights. It has no strength.

    Args:
      kept: N.
      of: M.
      selector: pattern of the paths of the weights to prune.
      decay: λ.
    """
    pattern = Pattern(kept, of)

    def init(key, problem, variables, strength):
        axes = pattern_axes(problem, variables, select(variables["params"], selector), pattern, selector)
        return problem.net, variables, State(fixed=Refining(jnp.float32(decay), axes))

    def view(state, variables):
        leaves = flatten(variables["params"])
        sparse = {path: refined(leaves[path], state.fixed.decay, along, pattern) for path, along in state.fixed.axes}
        return with_params(variables, replace(variables["params"], sparse))

    def export(state, shipped):
        seen = shipped._replace(variables=jax.jit(view)(state, shipped.variables))
        return packed(seen, state.fixed.axes, pattern)

    return Method(init=init, view=view, export=export)


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def refined(w: jax.Array, decay: jax.Array, axes: tuple[int, ...], pattern: Pattern) -> jax.Array:
    """Returns `w` with zeros where |w| is masked. Its gradient is that of the result, plus λ (1 - m) w.

    Args:
      w: stored weights.
      decay: λ, float32 []; it has no gradient.
      axes: those along which the pattern runs.
      pattern: N:M.
    """
    return _push(w, decay, axes, pattern)[0]


def _push(w, decay, axes, pattern):
    mask = pattern_mask(jnp.abs(w), axes, pattern)
    return jnp.where(mask, w, 0), (w, mask, decay)


def _pull(axes, pattern, residuals, dy):
    w, mask, decay = residuals
    return dy + decay.astype(w.dtype) * jnp.where(mask, 0, w), jnp.zeros_like(decay)


refined.defvjp(_push, _pull)


def row(n: int, m: int) -> Entry:
    """Returns the row of a pattern."""
    about = PATTERNED._replace(control=f"nm_{n}_{m}", trials=TRIALS, paper="zhou2021learning")
    return Entry(partial(sr_ste, n, m), about)


METHODS: dict[str, Entry] = {"sr_ste_2_4": row(2, 4), "sr_ste_4_8": row(4, 8)}
