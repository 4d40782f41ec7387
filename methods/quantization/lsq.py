"""LSQ: quantization-aware training with learned step sizes. Esser et al. 2020 (arXiv 1902.08153).

    v̄ = round(clip(v / s, -Q_N, Q_P)),  v̂ = v̄ · s                                           (eqs. 1-2)
    ∂v̂/∂s = v̄ - v/s inside the grid, -Q_N or Q_P outside; scaled by g = 1 / √(N · Q_P)        (eq. 3, §2.2)
    s₀ = 2 ⟨|v|⟩ / √Q_P                                                                       (§2.1)

One step size per layer for its weights and one for its input; the first and the last layer at `edge_bits` (§2.3).
An input is on an unsigned grid if no negative value was seen in calibration.

Deviation: the optimizer updates log s instead of s. The suite's recovery uses Adam, whose steps do not depend on
the size of a gradient: raw step sizes of 0.01 would move by the learning rate whatever their size (the reason that
Jain et al. 2020, arXiv 1903.08066, §3.2, train log-thresholds). The embedding, which takes integers, has no input grid.
"""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from methods.arrays.uniform import Quantizer, code_range
from methods.base import RATES, Description, Entry, Method, State
from methods.calibration.ranges import calibrate
from methods.flaxnet import COMPILE_QUICKLY, call_order
from methods.paths import KERNELS, note_left, select
from methods.quantization.grids import BITS, SWEEP, Grids, module_of, through


class Bounds(NamedTuple):
    """What is fixed of one grid; float32 scalars."""

    low: jax.Array
    high: jax.Array
    gain: jax.Array  # g


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
    """Returns log s₀, float32 [], and the bounds of a tensor's grid; a tensor of zeros gets s₀ = 1.

    Args:
      mean_abs: ⟨|v|⟩ of its scalars.
      size: N, how many scalars it has; of an input, how many for each example.
      bits: of its codes.
      signed: whether it has negative codes.
    """
    low, high = code_range(bits, signed=signed)
    step = jnp.where(mean_abs > 0, 2 * mean_abs / jnp.sqrt(high), 1.0)
    return jnp.log(step), Bounds(low, high, 1 / jnp.sqrt(size * high))


@partial(jax.jit, compiler_options=COMPILE_QUICKLY)
def _start(weights, ranges, bits):
    return {
        "weights": {p: start(jnp.mean(jnp.abs(w)), w.size, bits[module_of(p)], True) for p, w in weights.items()},
        "inputs": {p: start(r.mean_abs, r.features, bits[p], r.minimum < 0) for p, r in ranges.items()},
    }


def _running(state: State) -> Grids:
    def quantizer(log_step, bounds):
        step = jnp.exp(scale_gradient(log_step, bounds.gain))
        return Quantizer(step, jnp.zeros_like(step), bounds.low, bounds.high)

    def quantizers(steps, bounds):
        return {path: quantizer(step, bounds[path]) for path, step in steps.items()}

    steps, fixed = state.train, state.fixed
    return Grids(quantizers(steps["weights"], fixed.weights), quantizers(steps["inputs"], fixed.inputs))


def _current(state: State) -> Grids:
    return state.fixed.grids or _running(state)


def lsq(selector: str = KERNELS, edge_bits: int = 8) -> Method:
    """Returns LSQ. Strength: bits of weights and inputs; 32 leaves the net as it is.

    Args:
      selector: pattern of the paths of the weights to round; the inputs of their modules are rounded too.
      edge_bits: of the first and the last layer, where that is more than the strength.
    """

    def init(key, problem, variables, strength):
        (bits,) = strength
        weights = select(variables["params"], selector)
        note_left(variables["params"], selector)
        modules = {module_of(path) for path in weights}
        ranges = calibrate(problem.net, variables, problem.calibration, modules, problem.tap)
        order = [path for path in call_order(problem.net, variables, problem.example) if path in modules]
        layers = dict.fromkeys(modules, bits)
        layers[order[0]] = layers[order[-1]] = jnp.maximum(bits, edge_bits)
        started = _start(weights, ranges, layers)
        steps = {part: {path: step for path, (step, _) in pairs.items()} for part, pairs in started.items()}
        bounds = {part: {path: bound for path, (_, bound) in pairs.items()} for part, pairs in started.items()}
        return problem.net, variables, State(train=steps, fixed=Learned(bounds["weights"], bounds["inputs"]))

    def settle(key, problem, variables, state):
        grids = jax.jit(_running)(state)  # from here on the step sizes are numbers, not exponentials
        return variables, state._replace(fixed=state.fixed._replace(grids=grids))

    return Method(init=init, settle=settle, **through(_current))


LSQ = Entry(
    lsq,
    Description(
        family="quantization",
        knobs=(BITS,),
        sweep=SWEEP,
        budget="recovery",
        changes=frozenset({"weights", "values", "inputs"}),
        control="rtn_static",
        trials=RATES,
        paper="esser2020learned",
    ),
)
