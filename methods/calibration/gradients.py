"""The gradient of the task's loss on calibration data, in the weights that run."""

from collections.abc import Callable, Iterable
from functools import partial

import jax
from flax import linen as nn

from methods.base import PyTree, TapMaker
from methods.flaxnet import COMPILE_QUICKLY, batch_size, forward
from methods.paths import with_params


def mean_gradient(
    net: nn.Module,
    variables: PyTree,
    batches: Iterable[PyTree],
    loss: Callable[[PyTree, PyTree], jax.Array],
    tap: TapMaker | None = None,
) -> PyTree:
    """Returns ∂L/∂w, in the structure of "params": of the mean loss over all examples, the net as it is evaluated.

    Only the loss is traced anew for each problem: the net's own passes are compiled once for each net.

    Args:
      net: what runs.
      variables: of the net.
      batches: {"x": the net's input [B, ...], ...}.
      loss: (out, batch) -> mean loss of the batch, as that of a `Problem`.
      tap: makes the interceptor of what changes inputs.

    Raises:
      ValueError: there are no batches.
    """
    slope = jax.jit(jax.grad(loss), compiler_options=COMPILE_QUICKLY)
    total, examples = None, 0
    for batch in batches:
        size = batch_size(batch["x"])
        dout = slope(_forward(net, variables, batch["x"], tap), batch)
        total = _added(total, _pulled(net, variables, batch["x"], tap, dout), size)
        examples += size
    if total is None:
        raise ValueError("calibration has no batches; this method needs at least one")
    return jax.tree.map(lambda leaf: leaf / examples, total)


def _run(net, tap, variables, x):
    return forward(net, variables, x, tap=tap and tap())[0]


@partial(jax.jit, static_argnums=0, compiler_options=COMPILE_QUICKLY)
def _forward(net, variables, x, tap):
    return _run(net, tap, variables, x)


@partial(jax.jit, static_argnums=0, compiler_options=COMPILE_QUICKLY)
def _pulled(net, variables, x, tap, dout):
    _, pull = jax.vjp(lambda params: _run(net, tap, with_params(variables, params), x), variables["params"])
    return pull(dout)[0]


@jax.jit
def _added(total, gradient, size):
    scaled = jax.tree.map(lambda leaf: size * leaf, gradient)
    return scaled if total is None else jax.tree.map(lambda a, b: a + b, total, scaled)
