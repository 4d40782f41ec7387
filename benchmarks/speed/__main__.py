"""`python -m benchmarks.speed`: what methods add to a training step and to its memory, as ratios to dense.

With --versus=torch: our steps over those of the same nets in PyTorch (see `benchmarks/speed/against_torch.py`).
With --leaderboard: how long the board takes to build from 10,000 records (see `benchmarks/speed/board.py`).

Both sides run in turn on one core and are timed by the CPU time of the process, so that what else the machine does
hits neither. Ratios are medians over rounds with their quartiles. A recovery is timed whole, the renewals of masks in
it, on two nets: a perceptron of 4 × 512 and a GPT of 4 blocks, 128 wide. Rounding by calibration data is timed in
seconds, with all that it compiles: `gptq` of a GPT of 6 blocks, 384 wide, on 32 windows of 256 tokens.
"""

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from absl import flags

from benchmarks.measure.clock import Clock
from benchmarks.measure.device import device
from benchmarks.measure.memory import compiled_memory
from benchmarks.process import check_platform
from benchmarks.speed import against_torch, board
from benchmarks.speed.turns import Ratio, pinned, ratio, seconds
from benchmarks.train.allocator import keep_freed
from benchmarks.train.loop import batch_rows, compiled_chunk, data_mesh, replicated
from benchmarks.train.optimize import prepare, problem_of
from benchmarks.train.step import StepSpec, in_graph, start
from leaderboard.command import Command, UsageError, call
from methods import METHODS
from methods.base import Method
from tasks.base import Data, Metric, Recipe, Task
from tasks.classification import cross_entropy
from tasks.nets.gpt import gpt
from tasks.nets.mlp import MLP

STEPS, CHUNK = 480, 16
SIDES = {"dense": (), "lsq": (4.0,), "magnitude": (0.8,), "rigl": (0.8,), "sr_ste_2_4": ()}
BOUNDS = {"lsq": 1.35, "magnitude": 1.10, "rigl": 1.10, "sr_ste_2_4": 1.20}
"""What a step may take, over the dense one."""


def _task(name: str, net, x, y, batch: int) -> Task:
    """A task on made data: nobody looks at what is learnt."""
    arrays = {"x": x, "y": y}
    return Task(
        name=name,
        version=1,
        modality="vision",
        source="random numbers",
        net=net,
        load=lambda: Data(arrays, arrays, arrays, arrays),
        batch=lambda arrays, rows, key: {"x": arrays["x"][rows], "y": arrays["y"][rows]},
        loss=cross_entropy,
        outcomes=lambda out, b: jnp.zeros(len(out)),
        metric=Metric("none", "loss", higher_is_better=False),
        dense=Recipe(STEPS, batch, 1e-3),
        recovery=Recipe(STEPS, batch, 1e-3),
        eval_batch=batch,
        reach=0.0,
        reference=0.0,
    )


def tasks() -> tuple[Task, Task]:
    """Returns the perceptron, batch 128, and the GPT, 12 windows of 64 tokens."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(512, 512)).astype(np.float32), rng.integers(0, 10, 512).astype(np.int32)
    tokens = rng.integers(0, 65, (96, 65)).astype(np.int32)
    mlp, small_gpt = MLP(512, (512,) * 4, 10), gpt(65, 64, layers=4, width=128, heads=4)
    return _task("mlp_4x512", mlp, x, y, 128), _task("gpt_4x128", small_gpt, tokens[:, :-1], tokens[:, 1:], 12)


ROUNDING = 60.0
"""Seconds that `gptq` may take for the larger GPT."""
LARGER = {"context": 256, "layers": 6, "width": 384, "heads": 6}
WINDOWS = 32
"""That GPT, and how many windows it is calibrated on."""


class Side(NamedTuple):
    """One method, compiled and ready to step."""

    advance: Any
    carry: Any
    arrays: Any
    key: jax.Array
    memory: int  # bytes at the peak of a chunk


def ready(task: Task, method: Method, strength: tuple[float, ...]) -> Side:
    """Returns the method after `init`, on the dense net as it is born, its chunk compiled.

    Args:
      task: whose recovery is timed.
      method: what optimizes.
      strength: one number for each of its knobs.
    """
    data, mesh = jax.device_put(task.load()), data_mesh(task.recovery.batch_size)
    problem = problem_of(task, data, STEPS)
    net, variables, state = prepare(method, problem, problem.born, strength, 0)
    spec = StepSpec(task, net, in_graph(method), task.recovery)
    carry, arrays, key = replicated(mesh, (start(spec, variables, state, data.train), data.train, jax.random.key(0)))
    advance = compiled_chunk(spec, mesh, CHUNK, carry, arrays, Clock())
    return Side(advance, carry, arrays, key, compiled_memory(advance))


def recovery_ratios(task: Task) -> Iterator[tuple[str, Ratio, float]]:
    """Yields (method, step time over dense, peak memory over dense): a recovery of each, chunk by chunk in turn."""
    sides = {name: ready(task, METHODS[name].make(), strength) for name, strength in SIDES.items()}
    times: dict[str, list[float]] = {name: [] for name in sides}
    for first in range(0, STEPS, CHUNK):
        picked = batch_rows(0, first, CHUNK, len(sides["dense"].arrays["y"]), task.recovery.batch_size)
        for name in sides:
            times[name].append(seconds(partial(_advance, sides, name, picked)))
    for name in BOUNDS:
        yield name, ratio(times[name], times["dense"]), sides[name].memory / sides["dense"].memory


def _advance(sides: dict[str, Side], name: str, picked: np.ndarray) -> Any:
    side = sides[name]
    carry, losses = side.advance(side.carry, side.arrays, picked, side.key)
    sides[name] = side._replace(carry=carry)
    return carry, losses


def curve_ratio(task: Task) -> float:
    """Returns the time until a curve's first point is ready to step over that of the next: the first compiles."""
    method, taken = METHODS["lsq"].make(), []
    for strength in ((8.0,), (4.0,)):
        taken.append(seconds(partial(_made_ready, task, method, strength)))
    return taken[0] / taken[1]


def _made_ready(task: Task, method: Method, strength: tuple[float, ...]) -> Any:
    return ready(task, method, strength).carry


def rounding_seconds() -> float:
    """Returns the time that `gptq` takes for the GPT `LARGER` on WINDOWS windows of its context."""
    x = np.random.default_rng(0).integers(0, 65, (WINDOWS, LARGER["context"])).astype(np.int32)
    task = _task("larger_gpt", gpt(65, **LARGER), x, x, WINDOWS)
    method, problem = METHODS["gptq"].make(), problem_of(task, jax.device_put(task.load()), 0)
    _, variables, state = prepare(method, problem, problem.born, (3.0,), 0)
    return seconds(lambda: method.settle(jax.random.key(0), problem, variables, state, 1)[1:])


def main(argv: Sequence[str]) -> int:
    """Returns the exit code: 0 done, 1 a bound is not kept, 2 the user's mistake."""
    return call(_speed, _command(), argv)


def _command() -> Command:
    values = flags.FlagValues()
    other = "Compare our nets with the same ones in another framework instead."
    flags.DEFINE_enum("versus", None, ["torch"], other, flag_values=values)
    flags.DEFINE_bool("leaderboard", False, "Build the board from 10,000 made-up records instead.", flag_values=values)
    return Command(__doc__, values)


def _speed(values: flags.FlagValues) -> int:
    """Prints a table."""
    if values.leaderboard:
        return _leaderboard()
    with pinned():
        check_platform()
        keep_freed()
        return _versus() if values.versus else _methods()


def _methods() -> int:
    kept = True
    print(f"device: {device()}; {STEPS} steps of each, in turn\n")
    print(f"{'net':<12}{'method':<12}{'step / dense':>20}{'bound':>8}{'memory / dense':>17}")
    for task in tasks():
        for name, step, held in recovery_ratios(task):
            kept &= step.median <= BOUNDS[name]
            print(f"{task.name:<12}{name:<12}{step!s:>20}{BOUNDS[name]:>8.2f}{held:>17.2f}", flush=True)
    print("\nsetting up a point of an lsq curve, first / next:")
    for task in tasks():
        print(f"{task.name:<24}{curve_ratio(task):>14.1f}", flush=True)
    rounding = rounding_seconds()
    kept &= rounding <= ROUNDING
    size = f"{LARGER['layers']} × {LARGER['width']}"
    print(f"\ngptq of a GPT of {size} on {WINDOWS} windows: {rounding:.0f} s, bound {ROUNDING:.0f} s")
    return 0 if kept else 1


def _versus() -> int:
    try:
        print("\n".join(against_torch.lines()))
    except ModuleNotFoundError as error:
        raise UsageError(f"--versus=torch: {error}") from None
    return 0


def _leaderboard() -> int:
    built = board.build()
    print(f"{board.RECORDS} records: {built.seconds:.0f} s, bound {board.SECONDS:.0f} s", end="; ")
    print(f"{built.gigabytes:.2f} GB at the peak, bound {board.GIGABYTES:.0f} GB")
    return 0 if built.kept() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
