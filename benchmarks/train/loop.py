"""The one training loop: dense training and every method's recovery.

Data stays on the device; the host sends row numbers. The host runs one chunk ahead of the losses that it reads.
"""

import functools
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from benchmarks.measure.clock import Clock
from benchmarks.measure.programs import PROGRAMS
from benchmarks.train.step import StepSpec, TrainState, make_step
from methods.base import PyTree
from methods.flaxnet import COMPILE_QUICKLY, forward
from tasks.base import Arrays, count

FEW = 4
"""Steps that are not worth optimizing a program for."""


class Diverged(RuntimeError):
    """The loss is not finite: the run failed, and says where."""


class Marks(NamedTuple):
    """Steps after which something is done with the state, as the loop comes by."""

    steps: tuple[int, ...] = ()
    call: Callable[[int, TrainState], None] = lambda step, carry: None  # (step, the state after it)


class Saver(Protocol):
    """What keeps the state of an unfinished run."""

    def due(self) -> bool:
        """Returns whether the state is to be saved now."""
        ...

    def save(self, step: int, carry: TrainState) -> None:
        """Saves the state after `step` steps, those of earlier rounds included; may raise, to stop the run there."""
        ...


def batch_rows(seed: int, first: int, steps: int, size: int, batch: int) -> np.ndarray:
    """Returns the rows of some steps, int32 [steps, batch]: a new permutation of the split each epoch.

    Args:
      seed: of the permutations.
      first: the first of the steps, from 0.
      steps: how many.
      size: rows of the split.
      batch: rows of a step.

    Raises:
      ValueError: the split is smaller than a batch.
    """
    if batch > size:
        raise ValueError(f"batch_size is {batch}; the train split has only {size} rows")
    per_epoch = size // batch
    picked = []
    for step in range(first, first + steps):
        epoch, index = divmod(step, per_epoch)
        picked.append(_permutation(seed, epoch, size)[index * batch : (index + 1) * batch])
    return np.stack(picked)


@functools.lru_cache(maxsize=2)
def _permutation(seed, epoch, size):
    return np.random.default_rng([seed, epoch]).permutation(size).astype(np.int32)


def data_mesh(batch: int) -> Mesh:
    """Returns all devices along "data", or as many of them as divide the batch."""
    devices = jax.devices()
    count = max(n for n in range(1, len(devices) + 1) if batch % n == 0)
    return Mesh(np.array(devices[:count]), ("data",))


def replicated(mesh: Mesh, tree: PyTree) -> PyTree:
    """Returns the tree on every device of the mesh, whole."""
    return jax.device_put(tree, NamedSharding(mesh, P()))


def compiled_chunk(spec: StepSpec, mesh: Mesh, chunk: int, carry: TrainState, arrays: Arrays, clock: Clock) -> Callable:
    """Returns advance(carry, arrays, rows [chunk, B], key) -> (carry, losses [chunk]), compiled ahead of time.

    A compiled program takes one set of shapes only, so that a curve which would retrace fails instead.

    Args:
      spec: of the step.
      mesh: of the devices that share a batch.
      chunk: steps; the program of a single one runs any number of them, one after another.
      carry: the state, for its shapes and dtypes.
      arrays: the train split, likewise.
      clock: learns how long compiling took.
    """
    leaves, structure = jax.tree.flatten((carry, arrays))
    chunk = 1 if jax.default_backend() == "cpu" and _convolves(spec, carry, arrays) else chunk
    key = ("chunk", spec, mesh, chunk, structure, tuple((leaf.shape, leaf.dtype) for leaf in leaves))

    def compiled():
        with clock.compiling():
            return _compile(spec, mesh, chunk, carry, arrays)

    return PROGRAMS.get(key, compiled)


def _rows_of_one(spec):
    return jax.ShapeDtypeStruct((spec.recipe.batch_size,), jnp.int32)


def _compile(spec, mesh, chunk, carry, arrays):
    step, rows_of_one, looped = make_step(spec, mesh), _rows_of_one(spec), chunk == 1

    def scanned(carry, arrays, picked, key):
        return jax.lax.scan(lambda c, r: step(c, arrays, r, key), carry, picked)

    picked = rows_of_one if looped else jax.ShapeDtypeStruct((chunk, *rows_of_one.shape), jnp.int32)
    whole = NamedSharding(mesh, P())
    key = replicated(mesh, jax.random.key(0))
    options = COMPILE_QUICKLY if spec.recipe.steps <= FEW else None
    jitted = jax.jit(step if looped else scanned, donate_argnums=0, out_shardings=whole, compiler_options=options)
    compiled = jitted.lower(carry, arrays, picked, key).compile()
    return _looped(compiled) if looped else compiled


def _convolves(spec, carry, arrays) -> bool:
    """Whether the task's nets of this class do, of whatever width.

    On a CPU, convolutions inside a scan run some 30 times slower than outside: there the chunk is a loop.
    """
    key = ("convolves", spec.task, type(spec.net))
    return PROGRAMS.get(key, lambda: _traces_convolution(spec, carry, arrays))


def _traces_convolution(spec, carry, arrays):
    def run(params, rest, arrays, picked):
        batch = spec.task.batch(arrays, picked, None)
        return forward(spec.net, {"params": params, **rest}, batch["x"])[0]

    return "conv_general_dilated" in str(jax.make_jaxpr(run)(carry.params, carry.rest, arrays, _rows_of_one(spec)))


def _looped(step):
    def advance(carry, arrays, picked, key):
        losses = []
        for batch in picked:
            carry, loss = step(carry, arrays, batch, key)
            losses.append(loss)
        return carry, losses

    return advance


def train(
    spec: StepSpec,
    carry: TrainState,
    arrays: Arrays,
    seed: int,
    *,
    log_every: int,
    clock: Clock,
    round: int = 1,
    rounds: int = 1,
    report: Callable[[int, np.ndarray], None] = lambda step, losses: None,
    saver: Saver | None = None,
    marks: Marks | None = None,
) -> TrainState:
    """Runs the remaining steps of a round, those of the recipe, and returns the state after the last.

    Whoever is told of a step is told its number over all rounds. A round goes on with the data where the one before it
    stopped.

    Args:
      spec: of the step.
      carry: the state to start from.
      arrays: the train split, on the device.
      seed: of the order of rows and of everything random in a step.
      log_every: steps between reports, at most.
      clock: learns how long compiling took.
      round: which round this is, from 1.
      rounds: how many there are.
      report: called as report(step, losses) for each chunk, one chunk late.
      saver: keeps the state after a chunk whose losses were all finite: when it is due, and at the end of every round
        but the last.
      marks: steps of the round, rising, after which the state is shown.

    Raises:
      Diverged: at the first loss that is not finite.
    """
    steps, mesh = spec.recipe.steps, data_mesh(spec.recipe.batch_size)
    first, last = (round - 1) * steps, rounds * steps
    key = jax.random.key(seed) if round == 1 else jax.random.fold_in(jax.random.key(seed), first)
    carry, arrays, key = replicated(mesh, (carry, arrays, key))
    chunk = max(n for n in range(1, min(log_every, steps) + 1) if steps % n == 0)  # so that there is one program only
    done, late = int(carry.step), None
    marks = marks or Marks()

    def advanced(carry, begin, end):
        length = chunk if end - begin == chunk else 1  # a mark lies between, or an earlier process took other chunks
        advance = compiled_chunk(spec, mesh, length, carry, arrays, clock)
        picked = batch_rows(seed, first + begin, end - begin, count(arrays), spec.recipe.batch_size)
        return advance(carry, arrays, picked, key)

    while done < steps:
        end, losses = min(done + chunk - done % chunk, steps), []
        marked = [step for step in marks.steps if done < step < end]
        for begin, stop in pairwise([done, *marked, end]):
            carry, new = advanced(carry, begin, stop)
            losses.append(new)
            if stop in marks.steps:
                marks.call(stop, carry)
        if late:
            _read(*late, report)
        done, late = end, (first + done, losses)
        if saver and first + done < last and (done == steps or saver.due()):
            _read(*late, report)
            late = None
            saver.save(first + done, carry)
    if late:
        _read(*late, report)
    return jax.device_put(carry, jax.devices()[0])


def _read(first, losses, report):
    losses = np.concatenate([np.atleast_1d(part) for part in jax.device_get(losses)])
    broken = np.flatnonzero(~np.isfinite(losses))
    if broken.size:
        raise Diverged(f"loss is {losses[broken[0]]} at step {first + broken[0] + 1}")
    report(first + len(losses), losses)
