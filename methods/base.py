"""What a method is: pure functions over pytrees. Nothing here knows a task."""

import math
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from flax import linen as nn
from flax import struct

from methods.arrays.uniform import Quantizer

PyTree = Any
Interceptor = Callable[..., Any]


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
