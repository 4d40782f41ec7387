"""What a method is: seven pure functions over pytrees, and a description. Nothing here knows a task.

In the order of a run: `init`; `view`, `tap`, `loss` and `update` in every training step; `settle` after each round of
them; `export`. In-graph functions run inside `jit`: no Python branch on a value, no side effect. Arguments are passed
by position.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol

import jax
from flax import linen as nn
from flax import struct
from jax.tree_util import Partial

from methods.transforms.transform import Transform

PyTree = Any
Interceptor = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any], Any], Any]
"""Flax's: (next_fun, args, kwargs, context) -> what the module's method returns, see `nn.intercept_methods`."""
TapMaker = Partial
"""A function that makes an interceptor, or None, with the arrays that it needs: `Partial(tap, state)`.

It is a pytree: an argument of jitted functions, so that one program serves all values of its arrays.
"""
Budget = Literal["none", "recovery", "full"]
Settings = tuple[tuple[str, float], ...]
"""Names and values: "rate" is a factor on the recipe's learning rate, whatever else is an option of the method."""
RATES: tuple[Settings, ...] = tuple((("rate", rate),) for rate in (1.0, 0.5, 2.0, 0.25, 4.0))
"""The trials of a method that trains and has nothing else to tune."""


class Fallback(UserWarning):
    """Warning that a method deviates from what was asked for; given outside jit, it goes into the record."""


class OptionError(ValueError):
    """An option that fits nothing in the net: it names the option's value and what there is."""


class State(NamedTuple):
    """All a method owns: one pytree, so it jits, stacks, shards and checkpoints."""

    train: PyTree = ()  # leaves the optimizer updates, without weight decay: step sizes, projectors, bit logits
    fixed: PyTree = ()  # leaves only `update` and `settle` change: masks, ranges, the strength, the teacher


@struct.dataclass
class Teacher:
    """A net with its weights. A method that runs it in `loss` keeps it in `State.fixed`, as it may be large."""

    net: nn.Module = struct.field(pytree_node=False)
    variables: PyTree


class Seen(NamedTuple):
    """What the forward pass of one training step was."""

    batch: PyTree  # {"x": the net's input [B, ...], ...}
    out: PyTree  # what the net made of it, [B, ...] or a tree of them
    params: PyTree  # the weights that ran
    watched: Mapping[str, jax.Array]  # by module path, what `flaxnet.watch` noted
    weight: jax.Array  # of each output place, float32 [B, ...]: 0 where it does not count, as padding does not


class Shipped(NamedTuple):
    """What ships: net, variables, and what the inputs of its modules go through."""

    net: nn.Module
    variables: PyTree  # leaves are arrays or `Packed`
    inputs: Mapping[str, tuple[Transform, ...]] = MappingProxyType({})
    # in order; "dense1" is the first argument of the module at that path, "scores:1" the second one


class Trial(NamedTuple):
    """What a net came to in a trial: numbers, nothing else."""

    loss: float  # of the task, mean over examples
    divergence: float  # KL from the dense net's predictions, mean over places, nats; NaN where outputs are no logits
    bytes: int  # of its artifact
    macs: int  # of one example, effective ones rounded up
    bops: float


Split = Literal["calibration", "valid"]


class Problem(NamedTuple):
    """Everything a method may look at: facts, not options. No array of validation or test data can be reached."""

    net: nn.Module
    example: PyTree  # one input [1, ...], for shapes
    calibration: Iterable[
        PyTree
    ]  # batches {"x": the net's input [B, ...], ...}; iterable again and again, counted; "weight" [B, ...] where given
    loss: Callable[[PyTree, PyTree], jax.Array]  # (out, batch) -> mean loss, float32 []
    steps: int  # of the method's training, all rounds together; 0 if it has none
    teacher: Teacher | None = None
    born: PyTree = None  # variables of the dense net of this seed as they were before its training
    early: Mapping[int, PyTree] = MappingProxyType({})  # and as they were after so many steps of it: few, early ones
    copied: Mapping[str, int] | None = None  # by path, weights that the run which a control copies has kept
    macs: Mapping[str, int] = MappingProxyType({})  # by path, of one example through the dense net
    tap: TapMaker | None = None  # makes the interceptor of the parts before, in a chain
    trial: Callable[[Shipped, Split], Trial] | None = None  # tries a net; each call is counted
    pay: Callable[[int, int], None] = lambda steps, examples: None
    # (steps, examples in all of them): counts training of a method's own, outside of the loop


class Init(Protocol):
    """Prepares the method, once, before training. Not jitted; may shrink the net or replace its weights."""

    def __call__(
        self, key: jax.Array, problem: Problem, variables: PyTree, strength: tuple[jax.Array, ...], /
    ) -> tuple[nn.Module, PyTree, State]:
        """Returns the net to train, its variables and the method's state.

        Args:
          key: of everything random.
          problem: its net is the one to compress.
          variables: of that net, as dense training left them; as they were born where the budget is "full".
          strength: float32 scalars, one for each knob.

        Raises:
          OptionError: an option fits nothing in the net.
          ValueError: the problem lacks what the method needs, such as a teacher.
        """
        ...


class View(Protocol):
    """Makes the weights that run from the weights that are stored. In-graph, in every forward."""

    def __call__(self, state: State, variables: PyTree, /) -> PyTree:
        """Returns `variables` with other values in "params": same structure, shapes and dtypes.

        It is differentiable in `state.train` and in "params", by straight-through estimators where it has to be. All
        other collections, such as running statistics, are there to be read and come back as they are.
        """
        ...


class Tap(Protocol):
    """Changes or observes what enters a module. In-graph, in every forward."""

    def __call__(self, state: State, /) -> Interceptor | None:
        """Returns an interceptor of module calls, or None if nothing is tapped."""
        ...


class Loss(Protocol):
    """Adds to the task's loss: distillation, penalties. In-graph, in every training step."""

    def __call__(self, state: State, seen: Seen, base: jax.Array, /) -> jax.Array:
        """Returns the loss that is minimized, a scalar like `base`.

        Args:
          state: the method's.
          seen: the forward pass. Gradients flow into its output, its weights and what was watched.
          base: mean loss of the task, float32 [].
        """
        ...


class Update(Protocol):
    """Renews what follows the weights, such as masks. In-graph, after every optimizer step."""

    def __call__(
        self, state: State, seen: Seen, params: PyTree, grads: PyTree, step: jax.Array, /
    ) -> tuple[State, PyTree, PyTree | None]:
        """Returns (state, params, keep), the first two with the structure, shapes and dtypes that they came with.

        `keep` is None, or bools in the structure of `params` that broadcast against its leaves: the optimizer's moments
        are zeroed where it is False.

        Args:
          state: the method's, with `train` as the optimizer left it.
          seen: the forward pass of this step, before the optimizer moved.
          params: the stored weights, as the optimizer left them.
          grads: dense gradients of the weights that ran, like `params`.
          step: number of this step in its round, int32 [], from 1.
        """
        ...


class Settle(Protocol):
    """Does what comes after the last step of a round: calibrating, rounding, rewinding. Not jitted."""

    def __call__(
        self, key: jax.Array, problem: Problem, variables: PyTree, state: State, round: int, /
    ) -> tuple[nn.Module, PyTree, State]:
        """Returns the net, its variables and the state with which the next round starts, or which `export` is given.

        Weights that come back as they were given (the same arrays) stay as they are stored; others are stored.

        Args:
          key: of everything random.
          problem: its net is the one that was trained.
          variables: those that run: in a chain, seen through the views of the parts before.
          state: as training left it.
          round: the number of the round that has ended, from 1; `Description.rounds` is the last.

        Raises:
          OptionError: an option fits nothing in the net.
          ValueError: the calibration data have no batch, and the method needs one.
        """
        ...


class Export(Protocol):
    """Says what ships. Once, not jitted, after `settle`."""

    def __call__(self, state: State, shipped: Shipped, /) -> Shipped:
        """Returns `shipped` with the weights that run, packed or not, and more for its inputs to go through.

        Decoded, the weights are those of `view` bit for bit, unless the net changes.
        """
        ...


def _init(key, problem, variables, strength):
    return problem.net, variables, State()


class Method(NamedTuple):
    """One optimization technique. A method overrides the few functions it needs; the rest do nothing."""

    init: Init = _init
    view: View = lambda state, variables: variables
    tap: Tap = lambda state: None
    loss: Loss = lambda state, seen, base: base
    update: Update = lambda state, seen, params, grads, step: (state, params, None)
    settle: Settle = lambda key, problem, variables, state, round: (problem.net, variables, state)
    export: Export = lambda state, shipped: shipped


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
    budget: Budget = "none"  # which training it uses
    rounds: int = 1  # that share it evenly, each under a schedule of its own
    nested: bool = (
        False  # whether a strength goes on where the milder one before it ended, the first from the dense net
    )
    needs: frozenset[str] = frozenset()  # of a task: "groups", "classes", "teacher", "blocks"
    changes: frozenset[str] = frozenset()  # "weights", "values" (what they are rounded to), "inputs", "shape", "loss"
    control: str | None = None  # the method that this one must beat at equal size
    copies: str | None = None  # the method whose run, at the same strength and seed, says how many weights are kept
    trials: tuple[Settings, ...] = ()  # that are tried before a curve is run, the default first; () tunes nothing
    paper: str | None = None  # its key in the board's bibliography

    @property
    def reference(self) -> str:
        """The method of equal training, whose quality this one's is compared with; `finetuned` itself has dense."""
        return "dense" if self.budget == "none" or self.family == "dense" else "finetuned"


class Entry(NamedTuple):
    """One row of `METHODS`: a function of options that makes the method, and what the method is."""

    make: Callable[..., Method]
    about: Description
