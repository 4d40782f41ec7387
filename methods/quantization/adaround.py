"""AdaRound: each weight rounded up or down, whichever serves the layer's output. Nagel et al. 2020 (arXiv 2004.10568).

    ŵ = s · clip(⌊w / s⌋ + h(V), low, high),   h(V) = clip(σ(V) (ζ − γ) + γ, 0, 1),   ζ = 1.1, γ = −0.1   (eqs. 22, 23)
    min over V:  E ‖w x₀ − ŵ x‖² + λ Σ (1 − |2 h(V) − 1|^β),   β from 20 down to 2                        (eqs. 21, 24)

layer after layer, where x enters in the net whose layers before are rounded already, and x₀ in the dense one (eq. 25).
By Adam, from h(V) = w / s − ⌊w / s⌋, that is from no error at all; in the first fifth of the steps λ is 0, and β then
falls as half a cosine, as in the authors' AIMET. In the end h(V) is rounded.

Deviations. The squared error is that before the activation function, where eq. 25 has it behind. So it is a function of
two Gram matrices, H of x and C of x and x₀: with δ = ŵ − w it is tr(δ H δᵀ) − 2 tr(δ (C − H) wᵀ) + const, and each step
goes by all calibration data, where the paper's go by 32 examples: 2,000 steps at a rate of 0.01 stand for its 10,000.
λ is the mean of s² times that of x², the error of a weight that is off by a whole step, where the paper has 0.01: that
left a quarter of h(V) between 0 and 1 on the embedded tasks. The grid is that of `rtn`, min-max for each output
channel, where the paper's has the least squared error.

Strength: bits of weights. A weight that an earlier part of a chain has set to 0 stays 0. Afterwards batch norm's
running statistics are estimated again on the same data, as in `rtn_bn`.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from methods.base import Entry, Method, Problem
from methods.flaxnet import COMPILE_QUICKLY
from methods.paths import KERNELS
from methods.quantization.gptq import GPTQ
from methods.quantization.layerwise import Piece, layerwise

ZETA, GAMMA = 1.1, -0.1
BETAS, WARM = (20.0, 2.0), 0.2
"""The first and the last β, and the share of the steps that have no penalty."""
RATE = 0.01


class Fixed(NamedTuple):
    """What does not change while a layer is optimized; float32 [G, n, m] but for H."""

    weights: jax.Array
    scale: jax.Array
    gram: jax.Array  # H, [G, n, n]
    drift: jax.Array  # (C − H) w: what the layers before have done to the output
    low: jax.Array  # []
    high: jax.Array  # []


def adaround(selector: str = KERNELS, steps: int = 2000) -> Method:
    """Returns AdaRound, after the last step. Strength: bits; 32 leaves the net as it is.

    Args:
      selector: pattern of the paths of the weights to round.
      steps: of the optimization of each layer.
    """
    return layerwise(partial(choose, steps), selector, beside=True)


def choose(steps: int, problem: Problem, path: str, piece: Piece) -> np.ndarray:
    """Returns the codes of a layer's weights, [G, n, m]; see `layerwise.Choose`.

    Args:
      steps: of the optimization.
      problem: is told what that costs.
      path: of the weight.
      piece: the weights of a layer, their grid and their Gram matrices.
    """
    drift = (piece.gram.cross - piece.gram.own) @ piece.weights
    fixed = Fixed(*map(jnp.float32, (piece.weights, piece.scale, piece.gram.own, drift, piece.low, piece.high)))
    problem.pay(steps, steps * piece.examples)
    return np.asarray(_optimized(fixed, steps))


def soft(v: jax.Array) -> jax.Array:
    """Returns h(V), how far each weight is rounded up, in [0, 1]."""
    return jnp.clip(jax.nn.sigmoid(v) * (ZETA - GAMMA) + GAMMA, 0, 1)


def codes(fixed: Fixed, up: jax.Array) -> jax.Array:
    """Returns the codes, whole numbers where `up` has only 0 and 1; that of a weight that is 0 is 0."""
    return jnp.clip(jnp.floor(fixed.weights / fixed.scale) + up, fixed.low, fixed.high) * (fixed.weights != 0)


def loss(v: jax.Array, fixed: Fixed, penalty: jax.Array | float, beta: jax.Array | float) -> jax.Array:
    """Returns the squared error of a layer's output, but for a constant, and the penalty; float32 [].

    Args:
      v: V, [G, n, m].
      fixed: the layer.
      penalty: λ.
      beta: how flat the penalty is between 0 and 1.
    """
    up = soft(v)
    change = codes(fixed, up) * fixed.scale - fixed.weights
    moved = jnp.einsum("gnk,gkm->gnm", fixed.gram, change, precision=jax.lax.Precision.HIGHEST)
    error = jnp.sum(change * (moved - 2 * fixed.drift))
    return error + penalty * jnp.sum(1 - jnp.abs(2 * up - 1) ** beta, where=fixed.weights != 0)


@partial(jax.jit, static_argnums=1, compiler_options=COMPILE_QUICKLY)
def _optimized(fixed: Fixed, steps: int) -> jax.Array:
    """Returns the codes after Adam's steps."""
    place = fixed.weights / fixed.scale
    rest = place - jnp.floor(place)
    start = -jnp.log((ZETA - GAMMA) / (rest - GAMMA) - 1)  # h(start) = rest
    penalty = jnp.mean(fixed.scale**2) * jnp.mean(jnp.diagonal(fixed.gram, axis1=1, axis2=2))
    optimizer = optax.adam(RATE)

    def step(i, carry):
        v, moments = carry
        done = jnp.maximum(i / steps - WARM, 0) / (1 - WARM)
        beta = BETAS[1] + (BETAS[0] - BETAS[1]) * (1 + jnp.cos(jnp.pi * done)) / 2
        gradient = jax.grad(loss)(v, fixed, jnp.where(i < WARM * steps, 0.0, penalty), beta)
        updates, moments = optimizer.update(gradient, moments)
        return optax.apply_updates(v, updates), moments

    v, _ = jax.lax.fori_loop(0, steps, step, (start, optimizer.init(start)))
    return codes(fixed, jnp.round(soft(v)))


ADAROUND = Entry(adaround, GPTQ.about._replace(paper="nagel2020up"))
