"""The one pipeline: init -> train -> settle -> export. Dense nets, points of a curve, speed and the contract run it.

Training and `settle` may come in several rounds. A process that resumes restores the end of each round that is done and
settles it once more, so that it finds the net, the state and the cost of a process that was never interrupted.
"""

import dataclasses
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from benchmarks.measure.clock import Clock
from benchmarks.measure.counts import multiplies
from benchmarks.measure.drawn import plain
from benchmarks.measure.quality import Calibration, batches
from benchmarks.measure.trials import trial_of
from benchmarks.plan.config import Loop
from benchmarks.train import signals
from benchmarks.train.checkpoints import Checkpoints
from benchmarks.train.loop import Marks, train
from benchmarks.train.step import StepSpec, TrainState, in_graph, start
from leaderboard.command import Stopped
from methods.base import Method, Problem, PyTree, State, Teacher
from methods.flaxnet import first_example, fresh
from tasks.base import Arrays, Data, Recipe, Task


class Optimized(NamedTuple):
    """A net that a method has prepared or finished; `settle` has run on a finished one."""

    net: nn.Module
    variables: PyTree
    state: State


class Keeper:
    """Keeps the state of an unfinished run: by time, and when a signal asks the process to stop."""

    def __init__(
        self, checkpoints: Checkpoints, clock: Clock, resumed: Callable[[int], None] = lambda step: None
    ) -> None:
        """Binds a run's checkpoints and times.

        Args:
          checkpoints: where the state lies.
          clock: whose times are part of it.
          resumed: learns which step an earlier process's run had reached, once for each round.
        """
        self._checkpoints, self._clock, self._resumed = checkpoints, clock, resumed
        self._known: dict[str, Any] = {}  # times of earlier processes that the clock has by now

    def latest(self, carry: TrainState, first: int, steps: int) -> TrainState:
        """Returns the state of a round to go on from: `carry` where there is no checkpoint.

        Args:
          carry: the state before its first step.
          first: steps of the rounds before it.
          steps: of the round.
        """
        carry, facts = self._checkpoints.latest(carry, range(first + 1, first + steps + 1))
        if facts is not None:
            self._clock.resume({name: value - self._known.get(name, 0) for name, value in facts.items()})
            self._known = facts
            self._resumed(first + int(carry.step))
        return carry

    def due(self) -> bool:
        """Returns whether the state is to be saved now."""
        return signals.asked() is not None or self._checkpoints.due()

    def save(self, step: int, carry: TrainState) -> None:
        """Saves the state. Raises Stopped where a signal asked for it."""
        self._checkpoints.save(step, carry, self._clock.facts())
        if number := signals.asked():
            self._checkpoints.close()
            raise Stopped(f"stopped at step {step}", number)


class Watch(NamedTuple):
    """How a run is reported, timed and kept; nothing here changes a result."""

    loop: Loop
    clock: Clock
    report: Callable[[int, np.ndarray], None] = lambda step, losses: None  # called for each chunk of steps
    keeper: Keeper | None = None  # of the state of an unfinished run
    marks: Marks | None = None  # steps after which someone looks at the state


def problem_of(
    task: Task,
    data: Data,
    steps: int,
    *,
    seed: int = 0,
    dense: PyTree = None,
    early: Mapping[int, PyTree] = MappingProxyType({}),
    teacher: Teacher | None = None,
    copied: Mapping[str, int] | None = None,
) -> Problem:
    """Returns what a method may look at.

    Args:
      task: whose net is optimized.
      data: on the device, as `task.batch` takes it; of valid, only what a trial tells can be learned.
      steps: of the method's training, all rounds together; 0 if it has none.
      seed: of the dense net's birth and of the calibration examples that are drawn.
      dense: variables of the dense net; without them there are no trials.
      early: what dense training kept early, by step.
      teacher: for methods that need one.
      copied: by path, weights that the run which a control copies has kept.
    """
    x, calibration = first_example(example(task, data)), Calibration(task, data.calibration, seed)
    born = fresh(task.net, jax.random.key(seed), x)
    return Problem(
        net=task.net,
        example=x,
        calibration=calibration,
        loss=lambda out, batch: jnp.mean(task.loss(out, plain(batch))),
        steps=steps,
        teacher=teacher,
        born=born,
        early=early,
        copied=copied,
        macs=multiplies(task.net, born, x),
        trial=None if dense is None else trial_of(task, calibration, data.valid, dense, x),
        pay=calibration.taken.pay,
    )


def example(task: Task, data: Data) -> PyTree:
    """Returns the input of one batch of the task's evaluation: an array [B, ...] or a tree of them."""
    return next(batches(task, data.calibration))[0]["x"]


def prepare(method: Method, problem: Problem, variables: PyTree, strength: tuple, seed: int) -> Optimized:
    """Returns the net after the method's `init`.

    Args:
      method: what optimizes.
      problem: what it looks at.
      variables: of the dense net, or of the untrained one that becomes it.
      strength: one number for each of the method's knobs.
      seed: of whatever is random in `init`.
    """
    before, _ = jax.random.split(jax.random.key(seed))
    return Optimized(*method.init(before, problem, variables, tuple(jnp.float32(s) for s in strength)))


def optimize(
    task: Task,
    method: Method,
    problem: Problem,
    variables: PyTree,
    strength: tuple,
    seed: int,
    recipe: Recipe | None,
    arrays: Arrays,
    watch: Watch,
    rounds: int = 1,
) -> Optimized:
    """Returns the net after `init` and all rounds: the recipe's steps, then `settle`.

    Args:
      task: its batches and its loss.
      method: what optimizes.
      problem: what it looks at.
      variables: of the dense net, or of the untrained one that becomes it.
      strength: one number for each of the method's knobs.
      seed: of everything random.
      recipe: of the training in each round; None if there is none.
      arrays: the train split, on the device.
      watch: how the run is reported, timed and kept.
      rounds: how many there are.

    Raises:
      Diverged: a loss is not finite.
    """
    _, *keys = jax.random.split(jax.random.key(seed), 1 + rounds)  # the first is that of `prepare`
    with watch.clock:
        done = prepare(method, problem, variables, strength, seed)
    for round, key in enumerate(keys, 1):
        if recipe is not None:
            spec = StepSpec(task, done.net, in_graph(method), dataclasses.replace(recipe, learning_rate=1.0))
            done = _trained(spec, done, recipe.learning_rate, arrays, seed, watch, round, rounds)
        with watch.clock:
            settled = method.settle(key, problem._replace(net=done.net), done.variables, done.state, round)
            done = Optimized(settled[0], *jax.block_until_ready(settled[1:]))
    return done


def _trained(
    spec: StepSpec,
    done: Optimized,
    rate: float,
    arrays: Arrays,
    seed: int,
    watch: Watch,
    round: int,
    rounds: int,
) -> Optimized:
    """Returns the net after the steps of a round."""
    loop, clock, report, keeper, marks = watch
    steps = spec.recipe.steps
    carry = start(spec, done.variables, done.state, arrays, rate)
    if keeper:
        carry = keeper.latest(carry, (round - 1) * steps, steps)
    told = {"log_every": loop.log_every, "clock": clock, "report": report, "saver": keeper, "marks": marks}
    with clock:
        carry = train(spec, carry, arrays, seed, round=round, rounds=rounds, **told)
        jax.block_until_ready(carry)
    return Optimized(done.net, {"params": carry.params, **carry.rest}, carry.state)
