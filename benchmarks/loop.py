"""The one training loop: dense training and every method's recovery.

Data stays on the device; the host sends row numbers. The host runs one chunk ahead of the losses that it reads.
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from benchmarks.clock import Clock
from benchmarks.step import Carry, Program, make_step
from methods.base import ONCE, forward
from tasks.base import Arrays, Task, count

FEW = 4
"""Steps that are not worth optimizing a program for."""


class Diverged(RuntimeError):
    """The loss is not finite: the run failed, and says where."""


def batch_rows(seed: int, first: int, count: int, size: int, batch: int) -> np.ndarray:
    """Row numbers [count, batch] of steps first..first+count-1: a new permutation of `size` rows each epoch."""
    if batch > size:
        raise ValueError(f"batch_size is {batch}; the train split has only {size} rows")
    per_epoch = size // batch
    picked = []
    for step in range(first, first + count):
        epoch, place = divmod(step, per_epoch)
        picked.append(_permutation(seed, epoch, size)[place * batch : (place + 1) * batch])
    return np.stack(picked)


@functools.lru_cache(maxsize=2)
def _permutation(seed, epoch, size):
    return np.random.default_rng([seed, epoch]).permutation(size).astype(np.int32)


def data_mesh(batch: int) -> Mesh:
    """All devices along "data", or as many of them as divide the batch."""
    devices = jax.devices()
    count = max(n for n in range(1, len(devices) + 1) if batch % n == 0)
    return Mesh(np.array(devices[:count]), ("data",))


def replicated(mesh: Mesh, tree):
    """The tree on every device of the mesh, whole."""
    return jax.device_put(tree, NamedSharding(mesh, P()))


_COMPILED: dict = {}  # the compiled chunk of each program and shapes seen
_CONVOLVES: dict[tuple[Task, type], bool] = {}  # whether the task's nets of a class do, of whatever width


def compiled_chunk(program: Program, mesh: Mesh, chunk: int, carry: Carry, arrays: Arrays, clock: Clock) -> Callable:
    """advance(carry, arrays, rows [chunk, B], key) -> (carry, losses [chunk]), compiled ahead of time.

    A compiled program takes one set of shapes only, so that a curve which would retrace fails instead.
    """
    leaves, structure = jax.tree.flatten((carry, arrays))
    index = (program, mesh, chunk, structure, tuple((leaf.shape, leaf.dtype) for leaf in leaves))
    if index not in _COMPILED:
        with clock.compiling():
            _COMPILED[index] = _compile(program, mesh, chunk, carry, arrays)
    return _COMPILED[index]


def forget() -> None:
    """Frees the compiled chunks."""
    _COMPILED.clear()


def _compile(program, mesh, chunk, carry, arrays):
    """On a CPU, convolutions inside a scan run some 30 times slower than outside: there the chunk is a loop."""
    step = make_step(program, mesh)
    rows_of_one = jax.ShapeDtypeStruct((program.recipe.batch_size,), jnp.int32)
    looped = jax.default_backend() == "cpu" and _convolves(program, carry, arrays, rows_of_one)

    def scanned(carry, arrays, picked, key):
        return jax.lax.scan(lambda c, r: step(c, arrays, r, key), carry, picked)

    picked = rows_of_one if looped else jax.ShapeDtypeStruct((chunk, *rows_of_one.shape), jnp.int32)
    whole = NamedSharding(mesh, P())
    key = replicated(mesh, jax.random.key(0))
    options = ONCE if program.recipe.steps <= FEW else None
    jitted = jax.jit(step if looped else scanned, donate_argnums=0, out_shardings=whole, compiler_options=options)
    compiled = jitted.lower(carry, arrays, picked, key).compile()
    return _looped(compiled) if looped else compiled


def _convolves(program, carry, arrays, picked) -> bool:
    key = program.task, type(program.net)
    if key not in _CONVOLVES:
        _CONVOLVES[key] = _traces_convolution(program, carry, arrays, picked)
    return _CONVOLVES[key]


def _traces_convolution(program, carry, arrays, picked):
    def run(params, rest, arrays, picked):
        batch = program.task.batch(arrays, picked, None)
        return forward(program.net, {"params": params, **rest}, batch["x"])[0]

    return "conv_general_dilated" in str(jax.make_jaxpr(run)(carry.params, carry.rest, arrays, picked))


def _looped(step):
    def advance(carry, arrays, picked, key):
        losses = []
        for batch in picked:
            carry, loss = step(carry, arrays, batch, key)
            losses.append(loss)
        return carry, losses

    return advance


def train(
    program: Program,
    carry: Carry,
    arrays: Arrays,
    seed: int,
    *,
    log_every: int,
    clock: Clock,
    report: Callable[[int, np.ndarray], None] = lambda step, losses: None,
    save: Callable[[int, Carry], None] = lambda step, carry: None,
) -> Carry:
    """Runs the recipe's remaining steps. `report(step, losses)` is called for each chunk, one chunk late, and
    `save(step, carry)` after each but the last. Raises Diverged at the first loss that is not finite."""
    recipe, mesh = program.recipe, data_mesh(program.recipe.batch_size)
    carry, arrays, key = replicated(mesh, (carry, arrays, jax.random.key(seed)))
    chunk = max(n for n in range(1, log_every + 1) if recipe.steps % n == 0)  # so that there is one program only
    late = None
    for first in range(int(carry.step), recipe.steps, chunk):
        advance = compiled_chunk(program, mesh, chunk, carry, arrays, clock)
        picked = batch_rows(seed, first, chunk, count(arrays), recipe.batch_size)
        carry, losses = advance(carry, arrays, picked, key)
        if late:
            _read(*late, report)
        late = (first, losses)
        if first + chunk < recipe.steps:
            save(first + chunk, carry)
    if late:
        _read(*late, report)
    return jax.device_put(carry, jax.devices()[0])


def _read(first, losses, report):
    losses = np.asarray(jax.device_get(losses))
    broken = np.flatnonzero(~np.isfinite(losses))
    if broken.size:
        raise Diverged(f"loss is {losses[broken[0]]} at step {first + broken[0] + 1}")
    report(first + len(losses), losses)
