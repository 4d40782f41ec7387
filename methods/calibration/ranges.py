"""Ranges of activations: what enters a module is observed on calibration data."""

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

from methods.base import PyTree
from methods.flaxnet import COMPILE_QUICKLY, batch_size, forward, module_path


class Range(NamedTuple):
    """Statistics of one module's input over calibration data; float32 scalars."""

    minimum: jax.Array
    maximum: jax.Array
    mean_abs: jax.Array
    features: jax.Array  # scalars per example


def calibrate(net: nn.Module, variables: PyTree, batches: Iterable[PyTree], paths: Iterable[str]) -> dict[str, Range]:
    """Returns the range of each module's input over all batches. Modules with integer inputs (embeddings) are left out.

    Args:
      net: what runs.
      variables: of the net.
      batches: {"x": the net's input [B, ...], ...}.
      paths: of the modules to observe.

    Raises:
      ValueError: a path names no module that was called, or there are no batches.
    """
    paths, seen, examples = tuple(sorted(paths)), None, 0
    for batch in batches:
        count = batch_size(batch["x"])
        new, called = _observe(net, paths, variables, batch["x"])
        if missing := set(paths) - set(called):
            raise ValueError(f"no module is called at {sorted(missing)}; called are {sorted(called)}")
        seen = new if seen is None else {p: _merge(seen[p], new[p], examples, count) for p in new}
        examples += count
    if seen is None:
        raise ValueError("calibration has no batches; this method needs at least one")
    return seen


def _merge(a: Range, b: Range, a_count: int, b_count: int) -> Range:
    mean = (a.mean_abs * a_count + b.mean_abs * b_count) / (a_count + b_count)
    return Range(jnp.minimum(a.minimum, b.minimum), jnp.maximum(a.maximum, b.maximum), mean, a.features)


@partial(jax.jit, static_argnums=(0, 1), compiler_options=COMPILE_QUICKLY)
def _observe(net: nn.Module, paths: tuple[str, ...], variables: PyTree, x: PyTree) -> tuple[dict, dict]:
    ranges, called = {}, {}

    def tap(next_fun, args, kwargs, context):
        path = module_path(context)
        if context.method_name == "__call__" and path in paths:
            called[path] = True
            if _is_float(args):
                a = args[0]
                features = jnp.float32(a.size // len(a))
                ranges[path] = Range(jnp.min(a), jnp.max(a), jnp.mean(jnp.abs(a)), features)
        return next_fun(*args, **kwargs)

    forward(net, variables, x, tap=tap)
    return ranges, called


def _is_float(args: tuple) -> bool:
    return bool(args) and hasattr(args[0], "dtype") and jnp.issubdtype(args[0].dtype, jnp.floating)
