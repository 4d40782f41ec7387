"""The one pipeline: init -> train -> settle -> export. Dense nets, points of a curve, speed and the contract run it."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from benchmarks.measure.clock import Clock
from benchmarks.measure.drawn import plain
from benchmarks.measure.quality import Calibration, batches
from benchmarks.plan.config import Loop
from benchmarks.train import signals
from benchmarks.train.checkpoints import Checkpoints
from benchmarks.train.loop import train
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
          resumed: learns from which step an earlier process's run goes on.
        """
        self._checkpoints, self._clock, self._resumed = checkpoints, clock, resumed

    def latest(self, carry: TrainState) -> TrainState:
        """Returns the state to go on from: `carry` where there is no checkpoint."""
        carry, facts = self._checkpoints.latest(carry)
        if facts is not None:
            self._clock.resume(facts)
            self._resumed(int(carry.step))
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


def problem_of(
    task: Task,
    data: Data,
    steps: int,
    *,
    seed: int = 0,
    teacher: Teacher | None = None,
    copied: Mapping[str, int] | None = None,
) -> Problem:
    """Returns what a method may look at.

    Args:
      task: whose net is optimized.
      data: on the device, as `task.batch` takes it; only calibration is used.
      steps: of the method's training, 0 if it has none.
      seed: of the dense net's birth and of the calibration examples that are drawn.
      teacher: for methods that need one.
      copied: by path, weights that the run which a control copies has kept.
    """
    x = first_example(example(task, data))
    return Problem(
        net=task.net,
        example=x,
        calibration=Calibration(task, data.calibration, seed),
        loss=lambda out, batch: jnp.mean(task.loss(out, plain(batch))),
        steps=steps,
        teacher=teacher,
        born=fresh(task.net, jax.random.key(seed), x),
        copied=copied,
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
) -> Optimized:
    """Returns the net after `init`, the recipe's steps and `settle`.

    Args:
      task: its batches and its loss.
      method: what optimizes.
      problem: what it looks at.
      variables: of the dense net, or of the untrained one that becomes it.
      strength: one number for each of the method's knobs.
      seed: of everything random.
      recipe: of the training; None if there is none.
      arrays: the train split, on the device.
      watch: how the run is reported, timed and kept.

    Raises:
      Diverged: a loss is not finite.
    """
    loop, clock, report, keeper = watch
    with clock:
        net, variables, state = prepare(method, problem, variables, strength, seed)
    if recipe is not None:
        spec = StepSpec(task, net, in_graph(method), dataclasses.replace(recipe, learning_rate=1.0))
        carry = start(spec, variables, state, arrays, recipe.learning_rate)
        carry = keeper.latest(carry) if keeper else carry
        with clock:
            carry = train(spec, carry, arrays, seed, log_every=loop.log_every, clock=clock, report=report, saver=keeper)
            jax.block_until_ready(carry)
        variables, state = {"params": carry.params, **carry.rest}, carry.state
    with clock:
        _, after = jax.random.split(jax.random.key(seed))
        settled = method.settle(after, problem._replace(net=net), variables, state, 1)
        net, variables, state = settled[0], *jax.block_until_ready(settled[1:])
    return Optimized(net, variables, state)
