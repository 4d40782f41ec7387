"""Methods one after another, left to right, as one method: prune -> quantize -> distill."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import accumulate, combinations, pairwise
from typing import get_args

import jax
from jax.tree_util import Partial

from methods.base import RATES, Budget, Description, Entry, Method, PyTree, State
from methods.flaxnet import compose, together
from methods.paths import with_params


def chain(
    *parts: Entry, sweep: tuple[tuple[float, ...], ...], control: str | None = None, paper: str | None = None
) -> Entry:
    """Returns the parts as one method; its strength is theirs, one after another, in one flat tuple.

    Args:
      *parts: the methods, each with its default options.
      sweep: default strengths of the chain, mildest first.
      control: the method that the chain must beat at equal size.
      paper: its key in the board's bibliography.

    Raises:
      ValueError: a part copies the counts of another method's run, which has no strength of a chain; or a part changes
        weights whose values a part before it owns; or two parts share the budget by different numbers of rounds. A part
        that shrinks or replaces the net after one that prepared it is refused as well, but that depends on the strength
        and shows only in `init`.
    """
    about = [part.about for part in parts]
    refuse_copies(about)
    refuse_rounds(about)
    refuse_unordered(about)
    described = describe(about, sweep, paper)
    return Entry(lambda: joined(parts), described._replace(control=control))


def refuse_copies(parts: Sequence[Description]) -> None:
    """Raises ValueError where a part is a control that copies the counts of another method's run."""
    for i, part in enumerate(parts, 1):
        if part.copies is not None:
            raise ValueError(f"part {i} of the chain copies a run of {part.copies}: it is a control, to be run alone")


def refuse_rounds(parts: Sequence[Description]) -> None:
    """Raises ValueError where two parts have several rounds, and not equally many."""
    rounds = sorted({part.rounds for part in parts} - {1})
    if len(rounds) > 1:
        raise ValueError(f"parts of the chain share the budget by {' and '.join(map(str, rounds))} rounds")


def refuse_unordered(parts: Sequence[Description]) -> None:
    """Raises ValueError where a part that owns the values of weights is followed by one that changes weights."""
    for (i, before), (j, after) in combinations(enumerate(parts, 1), 2):
        if "values" in before.changes and "weights" in after.changes:
            raise ValueError(
                f"part {j} of the chain changes weights that part {i} has quantized: "
                "prune before you quantize, and quantize once"
            )


def describe(parts: Sequence[Description], sweep: tuple[tuple[float, ...], ...], paper: str | None) -> Description:
    """Returns the description of a chain: all knobs in order, the largest budget, all rounds, needs and changes.

    A part without rounds of its own is settled after each round of the others. Where the chain trains, its rate is
    tuned; its parts have their default options.

    Args:
      parts: descriptions of its methods, in order.
      sweep: its default strengths, mildest first.
      paper: its key in the board's bibliography.
    """
    budgets = {part.budget for part in parts}
    return Description(
        family="chain",
        knobs=tuple(knob for part in parts for knob in part.knobs),
        sweep=sweep,
        budget=next(budget for budget in reversed(get_args(Budget)) if budget in budgets),
        rounds=max(part.rounds for part in parts),
        nested=any(part.nested for part in parts),
        needs=frozenset().union(*(part.needs for part in parts)),
        changes=frozenset().union(*(part.changes for part in parts)),
        trials=RATES if budgets != {"none"} else (),
        paper=paper,
    )


def joined(entries: Sequence[Entry]) -> Method:
    """Returns the functions of a chain of methods, each made with its default options."""
    methods = tuple(entry.make() for entry in entries)
    ends = accumulate((len(entry.about.knobs) for entry in entries), initial=0)
    slices = [slice(start, end) for start, end in pairwise(ends)]
    functions = {"view": _view, "tap": _tap, "loss": _loss, "update": _update, "settle": _settle, "export": _export}
    bound = {name: partial(function, methods) for name, function in functions.items()}
    return Method(init=partial(_init, methods, slices), **bound)


def _each(methods: Sequence[Method], state: State) -> Iterator[tuple[Method, State]]:
    """Pairs each method with its part of the chain's state."""
    parts = (State(*part) for part in zip(state.train, state.fixed, strict=True))
    return zip(methods, parts, strict=True)


def _together(states: Sequence[State]) -> State:
    return State(tuple(s.train for s in states), tuple(s.fixed for s in states))


def _init(methods, slices, key, problem, variables, strength):
    given, states = problem.net, []
    for i, (method, own) in enumerate(zip(methods, slices, strict=True)):
        runs = _seen(methods, states, variables)
        net, changed, state = method.init(jax.random.fold_in(key, i), problem, runs, strength[own])
        if net != problem.net and (problem.net != given or jax.tree.leaves(states)):
            raise ValueError(f"part {i + 1} of the chain changes the net that the parts before prepared: put it first")
        variables, states = _stored(variables, runs, changed), [*states, state]
        problem = problem._replace(net=net, tap=together(problem.tap, Partial(method.tap, state)))
    return problem.net, variables, _together(states)


def _seen(methods: Sequence[Method], states: Sequence[State], variables: PyTree) -> PyTree:
    """Returns the variables as the views of the first methods, those that have a state yet, make them."""
    for method, state in zip(methods, states, strict=False):
        variables = method.view(state, variables)
    return variables


def _stored(stored: PyTree, seen: PyTree, changed: PyTree) -> PyTree:
    """Returns `changed`, what a part made of what it has seen, but with the stored weights where it left the weights.

    A part that changes weights takes those that it has seen, so that a view before it must leave what it has made.
    """
    same = jax.tree.structure(seen["params"]) == jax.tree.structure(changed["params"])
    pairs = zip(jax.tree.leaves(seen["params"]), jax.tree.leaves(changed["params"]), strict=True) if same else ()
    left = same and all(before is after for before, after in pairs)
    return with_params(changed, stored["params"]) if left else changed


def _view(methods, state, variables):
    return _seen(methods, [part for _, part in _each(methods, state)], variables)


def _tap(methods, state):
    return compose([method.tap(part) for method, part in _each(methods, state)])


def _loss(methods, state, seen, base):
    for method, part in _each(methods, state):
        base = method.loss(part, seen, base)
    return base


def _update(methods, state, seen, params, grads, step):
    states, keep = [], None
    for method, part in _each(methods, state):
        part, params, new = method.update(part, seen, params, grads, step)
        states.append(part)
        keep = new if keep is None else keep if new is None else jax.tree.map(lambda a, b: a & b, keep, new)
    return _together(states), params, keep


def _settle(methods, key, problem, variables, state, round):
    states = []
    for i, (method, part) in enumerate(_each(methods, state)):
        runs = _seen(methods, states, variables)
        net, changed, part = method.settle(jax.random.fold_in(key, i), problem, runs, part, round)
        variables, states = _stored(variables, runs, changed), [*states, part]
        problem = problem._replace(net=net, tap=together(problem.tap, Partial(method.tap, part)))
    return problem.net, variables, _together(states)


def _export(methods, state, shipped):
    for method, part in _each(methods, state):
        shipped = method.export(part, shipped)
    return shipped
