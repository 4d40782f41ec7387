"""Ranges of activations: what enters a module is observed while the net runs on calibration data.

Each call of a module reports from inside the running program, and reports are merged: so a module that is shared,
scanned over, rematerialized, vectorized or run in one branch only is seen in all of its calls. Nothing depends on the
order in which reports come in: extremes have none, and sums are exact until they are rounded once.

A report is a pure callback whose answer, 1, the input is multiplied by: so it runs exactly where the input is used.
A callback with an effect would be refused by `nn.scan`, which takes effects for a dependency of what is broadcast.
"""

import math
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from methods.base import Fallback, PyTree, TapMaker
from methods.flaxnet import COMPILE_QUICKLY, batch_size, compose, forward, is_float, tap_inputs


class Range(NamedTuple):
    """Statistics of one module's input over calibration data; float32 scalars but for the last."""

    minimum: jax.Array
    maximum: jax.Array
    mean_abs: jax.Array
    features: jax.Array  # scalars per example, over all calls
    peaks: jax.Array  # [C] max|x| of each channel, the entries of the last axis; [1] where calls differ in C


class Report(NamedTuple):
    """What one call saw, on the host."""

    minimum: float
    maximum: float
    total: float  # Σ|x|
    count: int  # of scalars
    peaks: np.ndarray  # [C]


def calibrate(
    net: nn.Module,
    variables: PyTree,
    batches: Iterable[PyTree],
    paths: Iterable[str],
    tap: TapMaker | None = None,
) -> dict[str, Range]:
    """Returns the range of each module's input, over all its calls on all batches.

    Modules with integer inputs (embeddings) are left out. So is, with a `Fallback` that names it, one whose input was
    never seen, is not finite or is zero throughout: it has no range that would serve other data.

    Args:
      net: what runs.
      variables: of the net.
      batches: {"x": the net's input [B, ...], ...}. If there is a "weight", inputs whose leading axes are the weight's
        and that have axes beyond them are ranged over the places where it is above zero.
      paths: of the modules to observe.
      tap: makes the interceptor of what changes inputs before they are observed.

    Raises:
      ValueError: there are no batches.
    """
    paths = tuple(sorted(set(paths)))
    run, reports, integers = _observer(net, paths)
    reports.clear()
    examples = 0
    for batch in batches:
        jax.block_until_ready(run(variables, tap, batch["x"], batch.get("weight")))
        examples += batch_size(batch["x"])
    if not examples:
        raise ValueError("calibration has no batches; this method needs at least one")
    found = {p: _merged(reports.get(p, ()), examples) for p in paths if p in reports or p not in integers}
    reports.clear()
    if left := ", ".join(f"{path} ({reason})" for path, reason in found.items() if isinstance(reason, str)):
        warnings.warn(Fallback(f"on calibration data inputs are left as they are: {left}"), stacklevel=2)
    return {path: seen for path, seen in found.items() if isinstance(seen, Range)}


@lru_cache(maxsize=64)
def _observer(net: nn.Module, paths: tuple[str, ...]) -> tuple[Callable, defaultdict[str, list[Report]], set[str]]:
    """Returns a jitted net that reports, the reports by path, and the paths of modules that integers entered.

    One for each net, as it is compiled once: the callbacks of a program write where they wrote when it was traced.
    """
    reports, integers = defaultdict(list), set()

    def note(path, dtype, minimum, maximum, totals, count, peaks):  # with leading axes where calls are vectorized
        sums = math.fsum(np.ravel(totals).astype(np.float64))
        channels = np.max(np.reshape(peaks, (-1, np.shape(peaks)[-1])), 0)
        reports[path].append(Report(float(np.min(minimum)), float(np.max(maximum)), sums, int(np.sum(count)), channels))
        return np.ones(np.shape(minimum), dtype)

    @partial(jax.jit, compiler_options=COMPILE_QUICKLY)
    def run(variables, tap, x, weight):
        def enter(path, a):
            if not is_float(a):
                integers.add(path)
                return a
            statistics, answer = _statistics(jnp.asarray(a, jnp.float32), weight), jax.ShapeDtypeStruct((), a.dtype)
            return a * jax.pure_callback(partial(note, path, a.dtype), answer, *statistics, vmap_method="broadcast_all")

        return forward(net, variables, x, tap=compose([tap and tap(), tap_inputs(enter, paths)]))[0]

    return run, reports, integers


def counted(x: jax.Array, weight: jax.Array | None) -> jax.Array:
    """Returns which numbers of an input count, bool that broadcasts against x: all where the weight does not fit.

    Args:
      x: the input of a module, or of a product.
      weight: of each place of the batch, [B, ...]: it counts where it is above 0. It fits if its axes are the leading
        ones of `x`, and `x` has axes beyond them.
    """
    if weight is None or x.ndim <= weight.ndim or x.shape[: weight.ndim] != weight.shape:
        return jnp.ones((), bool)
    return jnp.expand_dims(weight > 0, tuple(range(weight.ndim, x.ndim)))


def _statistics(x: jax.Array, weight: jax.Array | None) -> tuple[jax.Array, ...]:
    """Returns (minimum, maximum, Σ|x| by entry of the first axis, count, peaks) of what counts in `x`, float32 [...].

    Sums stay apart by entry, so that float32 does not lose what is added to a large one.
    """
    counts = jnp.broadcast_to(counted(x, weight), x.shape)
    low = jnp.min(x, where=counts, initial=jnp.inf)
    high = jnp.max(x, where=counts, initial=-jnp.inf)
    totals = jnp.sum(jnp.abs(x), tuple(range(1, x.ndim)), where=counts)
    peaks = jnp.max(jnp.abs(x), tuple(range(x.ndim - 1)), where=counts, initial=0)
    return low, high, jnp.atleast_1d(totals), jnp.sum(counts), jnp.atleast_1d(peaks)


def _merged(reports: Sequence[Report], examples: int) -> Range | str:
    """Returns the range of all calls together, or why no grid can be made for it."""
    count = sum(report.count for report in reports)
    if not count:
        return "not seen"
    low, high = np.min([r.minimum for r in reports]), np.max([r.maximum for r in reports])  # NaN stays NaN
    total = math.fsum(report.total for report in reports)
    same = len({report.peaks.shape for report in reports}) == 1
    peaks = np.max([report.peaks if same else report.peaks.max(keepdims=True) for report in reports], 0)
    seen = Range(*map(jnp.float32, (low, high, total / count, count / examples, peaks)))
    if not all(np.isfinite(numbers).all() for numbers in seen):
        return "not finite"
    return seen if total else "all zero"
