"""LSQ: quantization-aware training with learned step sizes. Esser et al. 2020 (arXiv 1902.08153).

    v̄ = round(clip(v / s, -Q_N, Q_P)),  v̂ = v̄ · s                                           (eqs. 1-2)
    ∂v̂/∂s = v̄ - v/s inside the grid, -Q_N or Q_P outside; scaled by g = 1 / √(N · Q_P)        (eq. 3, §2.2)
    s₀ = 2 ⟨|v|⟩ / √Q_P                                                                       (§2.1)

One step size per layer for its weights, also where nn.scan or nn.vmap stacks layers in one array, and one for the input
of its module. An input is on an unsigned grid if no negative value was seen in calibration. The first and the last
layer are no exception, as with every quantizer here, unless `edge_bits` makes them one, as the paper does (§2.3).

Deviation: the optimizer updates log s. Adam's steps do not depend on the size of a gradient: raw step sizes of 0.01
would move by the learning rate whatever their size (the reason that Jain et al. 2020, arXiv 1903.08066, §3.2, train
log-thresholds). The gradient of log s is taken times g / s², so that under SGD s moves by the paper's share of itself,

    Δ log s = -η · g / s² · ∂L/∂log s = -η · g · ∂L/∂s / s,

while Adam, which no factor changes, is left as it is. The embedding, which takes integers, has no input grid.
"""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from methods.base import RATES, Description, Entry, Method, State
from methods.calibration.ranges import calibrate
from methods.flaxnet import COMPILE_QUICKLY
from methods.paths import BLOCKS, KERNELS
from methods.quantization.grids import BITS, SWEEP, Grids, bits_of, chosen, module_of, through
from methods.transforms.grids import Quantizer, code_range
from methods.uses.axes import layer_axes


class Bounds(NamedTuple):
    """What is fixed of one grid; float32 scalars."""

    low: jax.Array
    high: jax.Array
    gain: jax.Array  # g of each layer


class Learned(NamedTuple):
    """What is fixed: how the grids are bounded, and the grids themselves, which `settle` makes; before, steps train."""

    weights: Mapping[str, Bounds]  # by leaf path
    inputs: Mapping[str, Bounds]  # by module path
    grids: Grids | None = None


@jax.custom_vjp
def scale_gradient(x: jax.Array, gain: jax.Array) -> jax.Array:
    """Returns `x`, bit for bit; its gradient is multiplied by `gain`, a scalar."""
    return x


scale_gradient.defvjp(lambda x, gain: (x, gain), lambda gain, g: (g * gain, jnp.zeros_like(gain)))


def start(
    mean_abs: jax.Array, size: jax.Array | int, bits: jax.Array, signed: jax.Array | bool
) -> tuple[jax.Array, Bounds]:
    """Returns log s₀, float32 like `mean_abs`, and the bounds of a tensor's grid; a tensor of zeros gets s₀ = 1.

    Args:
      mean_abs: ⟨|v|⟩ of its scalars; one for each layer.
      size: N, how many scalars a layer has; of an input, how many for each example.
      bits: of its codes.
      signed: whether it has negative codes.
    """
    low, high = code_range(bits, signed=signed)
    step = jnp.where(mean_abs > 0, 2 * mean_abs / jnp.sqrt(high), 1.0)
    return jnp.log(step), Bounds(low, high, 1 / jnp.sqrt(size * high))


@partial(jax.jit, static_argnums=3, compiler_options=COMPILE_QUICKLY)
def _start(weights, ranges, bits, stacked):
    return {
        "weights": {path: _start_weight(weights[path], bits[path], axes) for path, axes in stacked},
        "inputs": {p: start(r.mean_abs, r.features, bits[p], r.minimum < 0) for p, r in ranges.items()},
    }


def _start_weight(weight: jax.Array, bits: jax.Array, stacked: Sequence[int]) -> tuple[jax.Array, Bounds]:
    own = [axis for axis in range(weight.ndim) if axis not in stacked]
    mean_abs = jnp.mean(jnp.abs(weight), own, keepdims=bool(stacked))
    return start(mean_abs, math.prod(weight.shape[axis] for axis in own), bits, True)


def _running(state: State) -> Grids:
    def quantizer(log_step, bounds):
        step = jnp.exp(scale_gradient(log_step, bounds.gain * jnp.exp(-2 * log_step)))
        return Quantizer(step, jnp.zeros_like(step), bounds.low, bounds.high)

    def quantizers(steps, bounds):
        return {path: quantizer(step, bounds[path]) for path, step in steps.items()}

    steps, fixed = state.train, state.fixed
    weights, inputs = (quantizers(steps[part], getattr(fixed, part)) for part in ("weights", "inputs"))
    return Grids(weights, {path: (grid,) for path, grid in inputs.items()})


def _current(state: State) -> Grids:
    return state.fixed.grids or _running(state)


def lsq(selector: str = KERNELS, activations: bool = True, edge_bits: int = 0) -> Method:
    """Returns LSQ. Strength: bits of weights and inputs; 32 leaves the net as it is.

    Args:
      selector: pattern of the paths of the weights to round.
      activations: whether the inputs of their modules are rounded too.
      edge_bits: of the weights used first and last, and of their modules' inputs; 0 makes no exception.
    """

    def init(key, problem, variables, strength):
        weights = chosen(variables["params"], selector)
        bits = bits_of(problem, variables, weights, strength[0], edge_bits)
        modules = {module_of(path): bits[path] for path in weights}
        ranges = calibrate(problem.net, variables, problem.calibration, modules, problem.tap) if activations else {}
        stacked = layer_axes(problem.net, variables, problem.example, weights)
        started = _start(weights, ranges, bits | modules, tuple(stacked.items()))
        steps = {part: {path: step for path, (step, _) in pairs.items()} for part, pairs in started.items()}
        bounds = {part: {path: bound for path, (_, bound) in pairs.items()} for part, pairs in started.items()}
        return problem.net, variables, State(train=steps, fixed=Learned(bounds["weights"], bounds["inputs"]))

    def settle(key, problem, variables, state, round):
        grids = jax.jit(_running)(state)  # from here on the step sizes are numbers, not exponentials
        return problem.net, variables, state._replace(fixed=state.fixed._replace(grids=grids))

    return Method(init=init, settle=settle, **through(_current))


LSQ = Entry(
    lsq,
    Description(
        family="quantization",
        knobs=(BITS,),
        sweep=SWEEP,
        budget="recovery",
        trials=RATES,
        changes=frozenset({"weights", "values", "inputs"}),
        control="rtn_static",
        paper="esser2020learned",
    ),
)
LSQ_EDGES8 = Entry(partial(lsq, edge_bits=8), LSQ.about)
"""The paper's own scope."""
LSQ_WEIGHTS = Entry(
    partial(lsq, activations=False),
    LSQ.about._replace(changes=LSQ.about.changes - {"inputs"}, control="rtn"),
)
LSQ_BLOCKS = Entry(partial(lsq, BLOCKS), LSQ.about._replace(needs=frozenset({"blocks"}), control="rtn_static@blocks"))
"""The dense layers in a transformer's blocks alone, as papers on transformers do."""
