"""Weights changed one after another, each by what enters its layer in the net as it has become until then.

The net runs once over all calibration batches and stops at each weight (see stops.py). There the Gram matrices of what
the weight multiplies are summed over the batches, the weight is changed, and the run goes on with the new one. A weight
that is used more than once (a shared module, a recurrent cell, a tied embedding, layers stacked by `nn.scan`) is
changed at its first use, by all its uses in a run ahead: another pass over the data, in which it is as it was.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.tree_util import tree_leaves_with_path

from methods.base import Fallback, Problem, PyTree
from methods.calibration.grams import Entered, Gram, gram
from methods.calibration.products import Product
from methods.calibration.stops import Moved, Stop, Weights, run
from methods.flaxnet import batch_size, forward
from methods.paths import flatten, join
from methods.uses.uses import uses_of


class Layer(NamedTuple):
    """Weights w that multiply the same inputs x, in G groups: out[g, m] = Σ_n x[g, n] · w[g, n, m]."""

    places: np.ndarray  # int32 [G, n, m]: where each of them lies in the flattened weight
    gram: Gram  # of x, [G, n, n]
    examples: int  # of calibration, in which x was seen


Change = Callable[[str, jax.Array, Sequence[Layer]], jax.Array]
"""(path, weight, layers) -> another weight. What lies in no layer is looked up, or cannot be followed."""


class Seen(NamedTuple):
    """A stop at a weight in the run over one batch, and what enters there."""

    stop: Stop
    entered: Entered


def visit(
    problem: Problem, variables: PyTree, paths: Iterable[str], change: Change, *, beside: bool = False
) -> dict[str, jax.Array]:
    """Returns the weights at `paths`, each as `change` makes it, in the order in which the net first uses them.

    Warns of a `Fallback` where a weight multiplies, but has no layer.

    Args:
      problem: its net, its taps and its calibration batches. If these have a "weight", places where it is 0 do not
        count in inputs whose leading axes are the weight's and that have axes beyond them.
      variables: of the net.
      paths: of the weights.
      change: makes a weight anew.
      beside: whether the net as it was runs in step, for cross Gram matrices; else these are the Gram matrices.

    Raises:
      ValueError: there are no batches.
    """
    leaves = flatten(variables["params"])
    old = {path: leaves[path] for path in paths}
    runs = Runs(problem, variables, dict(old), old if beside else None)
    now, left, uses, recent = runs.now, set(old), _multiplications(problem, variables), Recent()
    streams = list(runs.start(left))
    if not streams:
        raise ValueError("calibration has no batches; this method needs at least one")
    seen = [next(stream, None) for stream in streams]
    while waiting := [one for one in seen if one is not None]:
        path = waiting[0].stop.path
        here = [one is not None and one.stop.path == path for one in seen]
        once = uses[path] == 1 and all(here) and waiting[0].stop.product and not waiting[0].stop.repeated
        calls = waiting if once or not uses[path] else [one for stream in runs.start({path}) for one in stream]
        now[path] = change(path, now[path], _layers(path, old[path], calls, uses[path] > 0, recent, runs.examples))
        left.remove(path)
        seen = [next(stream, None) if on else one for stream, one, on in zip(streams, seen, here, strict=True)]
    return {**now, **{path: change(path, now[path], ()) for path in left}}


def _multiplications(problem: Problem, variables: PyTree) -> Counter[str | None]:
    """Returns how many products of the net each weight is in."""
    uses = uses_of(problem.net, variables, problem.example)
    return Counter(path for path, use in uses.order if use.kind == "multiplied")


class Runs:
    """Runs of the net over the calibration batches, with stops at its weights."""

    def __init__(
        self, problem: Problem, variables: PyTree, now: dict[str, jax.Array], old: Mapping[str, jax.Array] | None
    ) -> None:
        """Binds the net.

        Args:
          problem: its net, its taps and its calibration batches.
          variables: of the net.
          now: the weights that may change, by path; they may change during a run.
          old: those of the net that runs in step; None for no such net.
        """
        self.now, self._old, self.examples = now, old, 0
        self._problem, self._variables, self._jaxprs = problem, variables, {}

    def start(self, stops: AbstractSet[str]) -> Iterator[Iterator[Seen]]:
        """Yields a run over each batch, which stops at the weights in `stops`; that may shrink during the run."""
        self.examples = 0
        for batch in self._problem.calibration:
            self.examples += batch_size(batch["x"])
            before = None if self._old is None else self._run(batch["x"], Weights(self._old, stops))
            yield _in_step(self._run(batch["x"], Weights(self.now, stops)), before, batch.get("weight"))

    def _run(self, x: PyTree, weights: Weights) -> Iterator[Stop]:
        names = ["/".join(("params", path)) for path in self.now]
        named = [(join(entry.key for entry in path), leaf) for path, leaf in tree_leaves_with_path(self._variables)]
        inputs = [Moved(name.partition("/")[2]) if name in names else leaf for name, leaf in named]
        return run(self._jaxpr(x), [*inputs, *jax.tree.leaves(x)], weights)

    def _jaxpr(self, x: PyTree) -> Any:
        """Returns the forward as a jaxpr, traced once for batches of the same shapes."""
        net, tap = self._problem.net, self._problem.tap
        key = jax.tree.structure(x), *((leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(x))
        if key not in self._jaxprs:
            make = jax.make_jaxpr(lambda v, x: forward(net, v, x, tap=tap and tap())[0])
            self._jaxprs[key] = make(self._variables, x)
        return self._jaxprs[key]


def _in_step(stops: Iterator[Stop], before: Iterator[Stop] | None, weight: jax.Array | None) -> Iterator[Seen]:
    """Yields the stops of a run, and what enters there; also in the net as it was, where that runs in step."""
    for stop in stops:
        yield Seen(stop, Entered(stop.x, None if before is None else next(before).x, weight))


class Recent:
    """The Gram matrices that were made last: those of query, key and value of attention are the same."""

    def __init__(self) -> None:
        self._product, self._calls, self._gram = None, [], None

    def gram(self, product: Product, calls: list[Entered]) -> Gram:
        """Returns the Gram matrices of what entered a product in all calls, see `grams.gram`."""
        same = product == self._product and len(calls) == len(self._calls)
        arrays = zip(sum(calls, ()), sum(self._calls, ()), strict=False)
        if self._gram is None or not (same and all(a is b for a, b in arrays)):
            self._product, self._calls, self._gram = product, calls, gram(product, calls)
        return self._gram


def _layers(
    path: str, weight: jax.Array, calls: Sequence[Seen], multiplies: bool, recent: Recent, examples: int
) -> list[Layer]:
    """Returns the layers in which a weight multiplies; none, with a `Fallback`, where they are of no use."""
    found, entered = {}, {}
    for (moved, product, _, _), what in calls:
        if product is not None:
            places = _places(moved, product, weight)
            key = product, places.shape, places.tobytes()
            found[key] = places
            entered.setdefault(key, []).append(what)
    layers = [Layer(places, recent.gram(key[0], entered[key]), examples) for key, places in found.items()]
    trouble = _trouble(layers) if layers else "it cannot be followed there" if multiplies else ""
    if trouble:
        warnings.warn(Fallback(f"what {path} is multiplied with is not looked at: {trouble}"), stacklevel=3)
    return [] if trouble else layers


def _places(moved: Moved, product: Product, weight: jax.Array) -> np.ndarray:
    """Returns where each number that is multiplied lies in the flattened weight, int32 [G, n, m]."""
    return np.asarray(product.matrix(moved.of(np.arange(weight.size, dtype=np.int32).reshape(weight.shape))))


def _trouble(layers: Sequence[Layer]) -> str:
    """Returns why the layers of a weight are of no use, or ""."""
    if np.bincount(np.concatenate([layer.places.ravel() for layer in layers])).max() > 1:
        return "its uses contradict each other"
    return "" if all(np.isfinite(layer.gram.own).all() for layer in layers) else "it is not finite"
