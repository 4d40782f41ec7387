"""Batch norm's running statistics, estimated again: for nets whose weights or inputs were changed after training.

    mean = E[μ],   var = E[σ²] + E[(μ - mean)²]        over batches of mean μ and variance σ²

Population statistics as Wu and Johnson 2021 compute them (arXiv 2105.07576, §3, PreciseBN), on calibration data: no
labels, no gradients. Layers see inputs normalized by their batch, as in training; but `nn.Dropout` is off, which would
widen the variance. For a norm that is called more than once, μ and σ² of a batch are what the running average makes of
its calls, as in training.
"""

import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from methods.base import Fallback, PyTree, TapMaker
from methods.flaxnet import COMPILE_QUICKLY, batch_size, compose, forward
from methods.paths import flatten, replace

STATISTICS = "batch_stats"
Moments = tuple[np.ndarray, np.ndarray]
"""Mean and variance of each channel, of any shape."""


def reestimate(net: nn.Module, variables: PyTree, batches: Iterable[PyTree], tap: TapMaker | None = None) -> PyTree:
    """Returns `variables` with new running statistics, or as they are if the net has none.

    Statistics that would not be finite stay as they were, with a `Fallback` that names their norms.

    Args:
      net: what runs.
      variables: of the net; the weights are those that run.
      batches: {"x": the net's input [B, ...], ...}; each weighs as many examples as it has.
      tap: makes the interceptor of the net's modules.

    Raises:
      ValueError: there are no batches.
    """
    old = _moments(variables.get(STATISTICS, {}))
    if not old:
        return variables
    counts, seen = [], []
    for batch in batches:
        counts.append(batch_size(batch["x"]))
        seen.append(_moments(jax.device_get(_now(net, tap, variables, batch["x"]))))
    if not counts:
        raise ValueError("calibration has no batches; running statistics need at least one")
    new = {norm: _population(counts, [now[norm] for now in seen]) for norm in old}
    if left := sorted(norm for norm, pair in new.items() if not np.isfinite(pair).all()):
        warnings.warn(
            Fallback(f"running statistics of {left} stay as they were: new ones are not finite"), stacklevel=2
        )
    leaves = {
        f"{norm}/{name}": jnp.asarray(leaf, before.dtype)
        for norm, pair in new.items()
        if norm not in left
        for name, leaf, before in zip(("mean", "var"), pair, old[norm], strict=True)
    }
    return {**variables, STATISTICS: replace(variables[STATISTICS], leaves)}


def _moments(statistics: PyTree) -> dict[str, Moments]:
    """Returns the mean and the variance of each norm by path; other leaves, such as counters, belong to none."""
    leaves = flatten(statistics)
    norms = [path.removesuffix("/mean") for path in leaves if path.endswith("/mean")]
    return {norm: (leaves[f"{norm}/mean"], leaves[f"{norm}/var"]) for norm in norms if f"{norm}/var" in leaves}


def _population(counts: Sequence[int], batches: Sequence[Moments]) -> Moments:
    """Returns mean and variance, float64, of all batches together, for numbers of examples and moments of each."""
    means, variances = (np.float64(np.stack(moments)) for moments in zip(*batches, strict=True))
    mean = np.average(means, axis=0, weights=counts)
    return mean, np.average(variances + np.square(means - mean), axis=0, weights=counts)


@partial(jax.jit, static_argnums=0, compiler_options=COMPILE_QUICKLY)
def _now(net: nn.Module, tap: TapMaker | None, variables: PyTree, x: PyTree) -> PyTree:
    """Returns the statistics of one batch alone, in the structure of the running ones.

    A running statistic r becomes m·r + (1 - m)·now. From 0 it becomes (1 - m)·now; from any other r, what it becomes
    then tells m. That r is large against (1 - m)·now, so that the difference is exact. Where m is 1, r is now.
    """

    def renewed(statistics):
        given, interceptor = {**variables, STATISTICS: statistics}, compose([tap and tap(), _without_dropout])
        return forward(net, given, x, tap=interceptor, train=True, key=jax.random.key(0))[1][STATISTICS]

    from_zero = renewed(jax.tree.map(jnp.zeros_like, variables[STATISTICS]))
    start = jax.tree.map(lambda leaf: jnp.full_like(leaf, 1 + jnp.max(jnp.abs(leaf))), from_zero)
    kept = jax.tree.map(lambda after, zero, r: (after - zero) / r, renewed(start), from_zero, start)
    return jax.tree.map(lambda m, zero, r: jnp.where(m == 1, r, zero / (1 - m)), kept, from_zero, variables[STATISTICS])


def _without_dropout(next_fun: Callable, args: tuple, kwargs: dict, context: nn.module.InterceptorContext) -> Any:
    """Lets through what enters `nn.Dropout`, also where the net trains."""
    if isinstance(context.module, nn.Dropout) and context.method_name == "__call__":
        return args[0] if args else kwargs["inputs"]
    return next_fun(*args, **kwargs)
