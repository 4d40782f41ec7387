"""The one seam to Flax: nets are run, initialized and intercepted here, and nowhere else outside `tasks/nets`."""

import inspect
import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from functools import partial, reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax.tree_util import Partial

from methods.base import Interceptor, PyTree, TapMaker
from methods.paths import join
from methods.transforms.transform import Transform

COMPILE_QUICKLY = {"xla_backend_optimization_level": 0}
"""Compiler options of programs that run a few times only: random numbers take longer to optimize than to draw."""

_TAPPED = jax.make_user_context(None)
"""Part of the key of jit's cache: what a net jits itself, by `nn.jit`, is traced again under every tap."""

_WATCHED = "(watched)"
"""The collection of what `watch` notes, and the name of each note: no attribute of a module is called so."""


def forward(
    net: nn.Module,
    variables: PyTree,
    x: PyTree,
    *,
    tap: Interceptor | None = None,
    train: bool = False,
    key: jax.Array | None = None,
) -> tuple[PyTree, PyTree]:
    """Returns (out, variables): the net's output, and the variables with running statistics renewed if it trains.

    Interception happens inside, so call this inside the jitted function: jit's cache does not know of interceptors.

    Args:
      net: what runs.
      variables: of the net.
      x: its input, an array [B, ...] or a tree of them.
      tap: intercepts its modules.
      train: whether it trains: dropout is on, batch norm goes by the batch.
      key: of the random streams, whatever their names: Flax lets those that are not given fall back on "params".
    """
    return observed(net, variables, x, tap=tap, train=train, key=key)[:2]


def observed(
    net: nn.Module,
    variables: PyTree,
    x: PyTree,
    *,
    tap: Interceptor | None = None,
    train: bool = False,
    key: jax.Array | None = None,
) -> tuple[PyTree, PyTree, dict[str, jax.Array]]:
    """Returns (out, variables, watched): as `forward`, and by module path what `watch` in the tap has noted.

    Args:
      net: what runs.
      variables: of the net.
      x: its input, an array [B, ...] or a tree of them.
      tap: intercepts its modules.
      train: whether it trains.
      key: of the random streams.
    """
    rngs = {} if key is None else {"dropout": key, "params": jax.random.fold_in(key, 0)}
    renewed = [name for name in variables if name != "params"] if train else []
    mutable = [*renewed, *([_WATCHED] if tap else [])]

    def call():
        return net.apply(variables, x, train=train, rngs=rngs, mutable=mutable or False)

    if tap is None:
        out = call()
    else:
        with nn.intercept_methods(tap), _TAPPED(object()):
            out = call()
    if not mutable:
        return out, variables, {}
    out, changed = out
    watched = dict(_notes(changed.get(_WATCHED, {})))
    return out, {**variables, **{name: changed[name] for name in renewed if name in changed}}, watched


def _notes(tree: PyTree, *names: str) -> Iterator[tuple[str, Any]]:
    """Yields (path of the module, what it returned), which may be a tree in its turn."""
    for name, inner in tree.items():
        if name == _WATCHED:
            yield join(names), inner
        else:
            yield from _notes(inner, *names, name)


def watch(pattern: str) -> Interceptor:
    """Returns the interceptor that notes what `__call__` of modules returns, where `pattern` matches their whole path.

    Of a module that is called several times, the last call counts. Calls within `nn.scan`, `nn.RNN`, `nn.vmap` and
    `nn.while_loop` are not noted; JAX refuses (TypeError) to note one that only some branches of `nn.cond` make.
    Gradients flow into what is noted.
    """

    def tap(next_fun, args, kwargs, context):
        out = next_fun(*args, **kwargs)
        if context.method_name == "__call__" and re.fullmatch(pattern, module_path(context)):
            context.module.sow(_WATCHED, _WATCHED, out, init_fn=lambda: None, reduce_fn=lambda _, new: new)
        return out

    return tap


@partial(jax.jit, static_argnums=0, compiler_options=COMPILE_QUICKLY)
def fresh(net: nn.Module, key: jax.Array, x: PyTree) -> dict[str, PyTree]:
    """Returns new variables by collection. One that the net writes but never reads, such as sown losses, is left out.

    Args:
      net: whose variables they are.
      key: of the initialization.
      x: an input, array [B, ...] or a tree of them; only its shape matters.
    """
    variables = net.init(key, x, train=False)
    return {name: tree for name, tree in variables.items() if name == "params" or _reads(net, variables, name, key, x)}


def _reads(net: nn.Module, variables: PyTree, name: str, key: jax.Array, x: PyTree) -> bool:
    """Returns whether training fails without the collection `name`: what is sown is then dropped without a word."""
    others = {other: tree for other, tree in variables.items() if other != name}
    try:
        jax.eval_shape(lambda: forward(net, others, x, train=True, key=key)[0])
    except Exception:  # Flax's where it looks for a variable, the net's own where it works with what is not there
        return True
    return False


def first_example(x: PyTree) -> PyTree:
    """Returns the first example [1, ...] of a net's input, an array [B, ...] or a tree of them."""
    return jax.tree.map(lambda a: a[:1], x)


def batch_size(x: PyTree) -> int:
    """Returns B of a net's input, an array [B, ...] or a tree of them."""
    return len(jax.tree.leaves(x)[0])


def module_path(context: nn.module.InterceptorContext) -> str:
    """Returns "block0/attention/query", the path of the module whose method is being intercepted."""
    return join(context.module.path)


def is_float(x: Any) -> bool:
    """Returns whether `x` is an array of floating-point numbers."""
    return isinstance(x, jax.Array | np.ndarray) and jnp.issubdtype(x.dtype, jnp.floating)


def tap_inputs(enter: Callable[[str, jax.Array], Any], keys: Container[str] | None = None) -> Interceptor:
    """Returns the interceptor that lets `enter(key, input)` into a module instead of its input.

    The inputs of a call are its first two arguments, given by position or by name, where they are arrays. Calls of any
    method count, since any may use the weights: `attend` of a tied embedding as much as `__call__`. A call by another
    method of the same module does not count: nothing enters the module there.

    Args:
      enter: (key of the input, input) -> an array like it, in-graph.
      keys: of the inputs that are meant: the path of the module for its first argument, "path:1" for its second;
        None for all.
    """
    inside = []

    def tap(next_fun, args, kwargs, context):
        path = module_path(context)
        entered = [(i, key) for i, key in enumerate((path, second(path))) if keys is None or key in keys]
        method = hasattr(type(context.module), context.method_name)  # not so the functions that `nn.cond` is given
        if not method or path in inside or not entered:
            return next_fun(*args, **kwargs)
        inside.append(path)
        try:
            for i, key in entered:
                args, kwargs = _with_argument(i, partial(enter, key), args, kwargs, context)
            return next_fun(*args, **kwargs)
        finally:
            inside.pop()

    return tap


def second(path: str) -> str:
    """Returns the key of the second argument of the module at `path`; that of the first is `path` itself."""
    return f"{path}:1"


def _with_argument(
    i: int, change: Callable, args: tuple, kwargs: dict, context: nn.module.InterceptorContext
) -> tuple[tuple, dict]:
    """Returns (args, kwargs) with `change` applied to argument `i`, if there is such an array."""
    if i < len(args):
        return (*args[:i], _changed(change, args[i]), *args[i + 1 :]), kwargs
    names = inspect.signature(context.orig_method).parameters if kwargs else ()
    given = [name for name in names if name in kwargs] or list(kwargs)
    named = given[i - len(args) : i - len(args) + 1]
    return args, {name: _changed(change, x) if name in named else x for name, x in kwargs.items()}


def _changed(change: Callable, x: Any) -> Any:
    return change(x) if isinstance(x, jax.Array | np.ndarray) else x


def transform_inputs(inputs: Mapping[str, Sequence[Transform]]) -> Interceptor | None:
    """Returns the interceptor that sends inputs of modules through their transforms, in order; None if there are none.

    Integers, such as tokens that are looked up, pass as they are. See `tap_inputs` for what an input is and its key.
    """

    def enter(key, x):
        return reduce(lambda x, transform: transform(x), inputs[key], x) if is_float(x) else x

    return tap_inputs(enter, inputs) if inputs else None


def together(*makers: TapMaker | None) -> TapMaker:
    """Returns the maker of the interceptor that is `compose` of what `makers` make; None stands for none."""
    return Partial(_together, makers)


def _together(makers: Sequence[TapMaker | None]) -> Interceptor | None:
    return compose([maker() for maker in makers if maker is not None])


def note_shapes(shapes: dict[str, tuple[int, ...]]) -> Interceptor:
    """Returns the interceptor that notes in `shapes`, by path, how large a module sees each weight of its own.

    Within `nn.scan` and `nn.vmap` that is without the axes along which they stack weights.
    """

    def tap(next_fun, args, kwargs, context):
        own = context.module.variables.get("params", {}).items()
        shapes.update({join((*context.module.path, name)): a.shape for name, a in own if hasattr(a, "shape")})
        return next_fun(*args, **kwargs)

    return tap


def compose(taps: Sequence[Interceptor | None]) -> Interceptor | None:
    """Returns one interceptor that applies `taps` left to right to what enters a module; None if there is none."""
    taps = [tap for tap in taps if tap is not None]
    if not taps:
        return None

    def tap(next_fun, args, kwargs, context):
        for inner in reversed(taps):
            next_fun = _bind(inner, next_fun, context)
        return next_fun(*args, **kwargs)

    return tap


def _bind(tap: Interceptor, next_fun: Callable, context: nn.module.InterceptorContext) -> Callable:
    return lambda *args, **kwargs: tap(next_fun, args, kwargs, context)
