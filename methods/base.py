"""What a method is: pure functions over pytrees, and the helpers that every method shares.

Nothing here knows a task. `forward` is the one place outside `tasks/nets` that knows Flax's module system.
"""

import math
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote

import jax
from flax import linen as nn
from flax import struct, traverse_util

from methods.arrays.quantizer import Quantizer

PyTree = Any
Interceptor = Callable[..., Any]

KERNELS = r"(^|/)(kernel|embedding)$"
"""Default selector: the weights of dense, convolution and embedding layers; not biases, not norms."""


class Fallback(UserWarning):
    """What a method warns of, outside jit, where it did something else than was asked: it goes into the record."""


class OptionError(ValueError):
    """An option that fits nothing in the net: it names the option's value and what there is."""


class State(NamedTuple):
    """All a method owns: one pytree, so it jits, stacks, shards and checkpoints."""

    train: PyTree = ()  # leaves the optimizer updates: step sizes, projectors, bit logits
    fixed: PyTree = ()  # leaves only `update` and `settle` change: masks, ranges, the strength, the teacher


@struct.dataclass
class Teacher:
    """A net with its weights. A method that runs it in `loss` keeps it, whole, in `State.fixed`:
    that is how the bench knows to count teacher forwards."""

    net: nn.Module = struct.field(pytree_node=False)
    variables: PyTree


class Problem(NamedTuple):
    """Everything a method may look at. Validation and test data cannot be reached from here."""

    net: nn.Module
    example: PyTree  # one input [1, ...], for shapes
    calibration: Iterable[PyTree]  # batches {"x": the net's input, ...}; iterable again and again, counted
    loss: Callable  # (out, batch) -> mean loss, scalar
    steps: int  # of the method's training; 0 if it has none
    teacher: Teacher | None = None


class Shipped(NamedTuple):
    """What ships: net, variables, and the grids that the inputs of its modules are rounded onto."""

    net: nn.Module
    variables: PyTree  # leaves are arrays or `Quantized`
    inputs: Mapping[str, Quantizer] = MappingProxyType({})  # by module path


class Knob(NamedTuple):
    """One number of a strength."""

    name: str  # "bits", "sparsity", "kept fraction"
    low: float = -math.inf  # least and greatest value that mean something
    high: float = math.inf
    whole: bool = False  # whether only whole numbers mean something


class Description(NamedTuple):
    """What a planner, a chain, the board and the tests need to know of a method before it is made."""

    family: str  # of techniques: "quantization"; the board groups by it
    knobs: tuple[Knob, ...]  # what the numbers of a strength mean
    sweep: tuple[tuple[float, ...], ...]  # default strengths, mildest first; ((),) without a knob
    budget: Literal["none", "recovery", "full"] = "none"  # which training it uses
    needs: frozenset[str] = frozenset()  # of a task: "groups", "classes", "teacher"
    changes: frozenset[str] = frozenset()  # "weights", "values" (what they are rounded to), "inputs", "shape", "loss"
    control: str | None = None  # the method that this one must beat at the same strength
    reference: str = "dense"  # the method whose quality this one's is compared with
    paper: str | None = None  # its key in the board's bibliography


def _init(key, problem, variables, strength):
    return problem.net, variables, State()


class Method(NamedTuple):
    """One optimization technique. A method overrides the few functions it needs; the rest do nothing.

    The design's six functions and a seventh, `settle`: what happens *after* the last training step
    (calibration, rounding). Without it a chain could not prune, recover and then quantize.
    """

    # (key, problem, variables, strength) -> (net, variables, State). Once, not jitted; may shrink the net.
    # `strength` is a tuple of float32 scalars, one for each knob.
    init: Callable = _init
    # (state, params) -> params. In-graph, differentiable: the weights that run.
    view: Callable = lambda state, params: params
    # (state) -> interceptor | None. In-graph: activations, per module (`nn.intercept_methods`).
    tap: Callable = lambda state: None
    # (state, batch, out, base []) -> scalar. In-graph: distillation, penalties.
    loss: Callable = lambda state, batch, out, base: base
    # (state, params, grads, step []) -> (state, params, keep). In-graph, after optimizer step number `step`
    # (from 1). `grads` are dense gradients of the weights that ran; `keep` is None or a tree of bool like
    # params: optimizer moments are zeroed where it is False.
    update: Callable = lambda state, params, grads, step: (state, params, None)
    # (key, problem, variables, state) -> state. Once, after the last step, not jitted. `variables` are those
    # that run: in a chain, seen through the views of the parts before.
    settle: Callable = lambda key, problem, variables, state: state
    # (state, Shipped) -> Shipped. Once: what ships. Weights may become `Quantized`, inputs get their grids.
    export: Callable = lambda state, shipped: shipped


class Entry(NamedTuple):
    """One row of `METHODS`: a function of options that makes the method, and what the method is."""

    make: Callable[..., Method]
    about: Description


def forward(net, variables, x, *, tap=None, train=False, key=None):
    """Returns (out, variables) of `net` run on `x`, an array [B, ...] or a tree of them.

    Interception happens inside, so call this inside the jitted function: jit's cache does not know of interceptors.
    The variables are those given, with running statistics renewed when `train`. A random stream of any name draws
    from `key`: Flax lets those that are not given fall back on "params".
    """
    rngs = {} if key is None else {"dropout": key, "params": jax.random.fold_in(key, 0)}
    mutable = [name for name in variables if name != "params"] if train else []

    def call():
        return net.apply(variables, x, train=train, rngs=rngs, mutable=mutable or False)

    if tap is None:
        out = call()
    else:
        with nn.intercept_methods(tap):
            out = call()
    if not mutable:
        return out, variables
    out, renewed = out
    return out, {**variables, **renewed}


ONCE = {"xla_backend_optimization_level": 0}
"""Compiler options of programs that run a few times only: random numbers take longer to optimize than to draw."""


@partial(jax.jit, static_argnums=0, compiler_options=ONCE)
def fresh(net, key, x):
    """Returns new variables of `net`; `x [B, ...]` gives the input's shape.

    A collection that the net writes but never reads, such as sown losses, is no state and is left out.
    """
    variables = net.init(key, x, train=False)
    return {name: tree for name, tree in variables.items() if name == "params" or _reads(net, variables, name, key, x)}


def _reads(net, variables, name, key, x) -> bool:
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
    """ "block0/attention/query" of the module whose method is being intercepted."""
    return join(context.module.path)


def join(names: Iterable[str]) -> str:
    """Returns the path "conv1/kernel" of ("conv1", "kernel"). "/", ":" and "%" inside a name become %2F, %3A, %25."""
    return "/".join(name.translate(_ESCAPES) for name in names)


_ESCAPES = str.maketrans({character: f"%{ord(character):X}" for character in "%/:"})


def flatten(tree: PyTree) -> dict[str, Any]:
    """Returns {"conv1/kernel": leaf, ...}; for names, see `join`."""
    return {join(names): leaf for names, leaf in traverse_util.flatten_dict(tree).items()}


def unflatten(leaves: Mapping[str, Any]) -> PyTree:
    """Returns the tree of nested dicts whose leaves lie at the given paths: the inverse of `flatten`."""
    return traverse_util.unflatten_dict({tuple(map(unquote, path.split("/"))): a for path, a in leaves.items()})


def select(params: PyTree, pattern: str = KERNELS) -> dict[str, Any]:
    """The leaves whose path matches `pattern`, as {path: leaf}.

    Raises OptionError if none does: a selector that matches nothing is a mistake, never a no-op.
    """
    chosen = {path: leaf for path, leaf in flatten(params).items() if re.search(pattern, path)}
    if not chosen:
        raise OptionError(f"selector {pattern!r} matches no weight; paths are {sorted(flatten(params))}")
    return chosen


def note_left(params: PyTree, pattern: str = KERNELS) -> None:
    """Warns of a `Fallback` if `pattern` leaves matrix weights as they are: "4096 of 4288 matrix weights (mlp/weight)".

    A matrix weight has two axes or more and is no bias and no norm's scale, which have two where layers are stacked.
    """
    matrices = {p: w for p, w in flatten(params).items() if w.ndim > 1 and not re.search(r"(^|/)(bias|scale)$", p)}
    left = {path: weight.size for path, weight in matrices.items() if not re.search(pattern, path)}
    if left:
        names = ", ".join([*list(left)[:3], *(["…"] if len(left) > 3 else [])])
        share = f"{sum(left.values())} of {sum(weight.size for weight in matrices.values())} matrix weights ({names})"
        warnings.warn(Fallback(f"{share} are left as they are: the selector is {pattern!r}"), stacklevel=2)


def replace(params: PyTree, leaves: dict[str, Any]) -> PyTree:
    """`params` with the leaves at the given paths replaced."""
    return unflatten({**flatten(params), **leaves})


def with_params(variables: PyTree, params: PyTree) -> PyTree:
    """`variables` with another "params" collection."""
    return {**variables, "params": params}


def compose(taps: Sequence[Interceptor | None]) -> Interceptor | None:
    """One interceptor that applies `taps` left to right to what enters a module."""
    taps = [tap for tap in taps if tap is not None]
    if not taps:
        return None

    def tap(next_fun, args, kwargs, context):
        for inner in reversed(taps):
            next_fun = _bind(inner, next_fun, context)
        return next_fun(*args, **kwargs)

    return tap


def _bind(tap, next_fun, context):
    return lambda *args, **kwargs: tap(next_fun, args, kwargs, context)


def keys(key: jax.Array, names: Iterable[str]) -> dict[str, jax.Array]:
    """One key per name, independent of dict order."""
    names = sorted(names)
    return dict(zip(names, jax.random.split(key, len(names)), strict=True))
