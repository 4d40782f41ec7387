"""Batch norm's running statistics, estimated again: for nets whose weights or inputs were changed after training.

    mean = E[μ],   var = E[σ² + μ²] - mean²        over batches of mean μ and variance σ²

Population statistics as Wu and Johnson 2021 compute them (arXiv 2105.07576, §3, PreciseBN), on calibration data: no
labels, no gradients. Layers see inputs normalized by their batch, as in training.
"""

from collections.abc import Iterable
from functools import partial

import jax
import jax.numpy as jnp
from flax import linen as nn

from methods.base import Interceptor, PyTree
from methods.flaxnet import COMPILE_QUICKLY, batch_size, forward
from methods.paths import flatten, replace

STATISTICS = "batch_stats"


def reestimate(
    net: nn.Module, variables: PyTree, batches: Iterable[PyTree], *, tap: Interceptor | None = None
) -> PyTree:
    """Returns `variables` with new running statistics, or as they are if the net has none.

    Args:
      net: what runs.
      variables: of the net.
      batches: {"x": the net's input [B, ...], ...}; each weighs as many examples as it has.
      tap: intercepts the net's modules.

    Raises:
      ValueError: there are no batches.
    """
    if STATISTICS not in variables:
        return variables
    total, moments = 0, None
    for batch in batches:
        count = batch_size(batch["x"])
        new = jax.tree.map(lambda leaf: count * leaf, _moments(net, tap, variables, batch["x"]))  # noqa: B023
        moments = new if moments is None else jax.tree.map(jnp.add, moments, new)
        total += count
    if not total:
        raise ValueError("calibration has no batches; running statistics need at least one")
    mean, square = jax.tree.map(lambda leaf: leaf / total, moments)
    var = {path: square[path] - jnp.square(mean[path]) for path in square}
    statistics = {f"{path}/mean": leaf for path, leaf in mean.items()} | {f"{path}/var": var[path] for path in var}
    return {**variables, STATISTICS: replace(variables[STATISTICS], statistics)}


@partial(jax.jit, static_argnums=(0, 1), compiler_options=COMPILE_QUICKLY)
def _moments(net: nn.Module, tap: Interceptor | None, variables: PyTree, x: PyTree) -> tuple[dict, dict]:
    """Returns ({norm: μ}, {norm: σ² + μ²}) of one batch.

    A running statistic r becomes m·r + (1 - m)·now: what it becomes from 0 and from 1 tells m and now, whatever m is.
    """

    def renewed(value):
        statistics = jax.tree.map(lambda leaf: jnp.full_like(leaf, value), variables[STATISTICS])
        given = {**variables, STATISTICS: statistics}
        return flatten(forward(net, given, x, tap=tap, train=True, key=jax.random.key(0))[1][STATISTICS])

    from_zero, from_one = renewed(0), renewed(1)
    now = {path: leaf / (1 - (from_one[path] - leaf)) for path, leaf in from_zero.items()}
    mean = {path.removesuffix("/mean"): leaf for path, leaf in now.items() if path.endswith("/mean")}
    return mean, {path: now[f"{path}/var"] + jnp.square(mean[path]) for path in mean}
