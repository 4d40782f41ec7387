"""One point of a curve: a method at one strength and seed, from the dense net to what its artifact is and does."""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import artifact, measure
from benchmarks.checkpoints import Checkpoints
from benchmarks.clock import Clock
from benchmarks.config import Loop
from benchmarks.counts import count
from benchmarks.dense import Dense
from benchmarks.evaluate import Calibration, batches, outcomes, quality
from benchmarks.loop import train
from benchmarks.notes import collected
from benchmarks.step import Program, in_graph, start
from leaderboard.record.canonical import digits
from leaderboard.record.schema import Cost, Latency, Result
from methods.arrays.quantizer import decoded, is_quantized
from methods.base import Method, Problem, Teacher, flatten, forward, with_params
from methods.norms import reestimate
from tasks.base import Data, Task

TOLERANCE = 1e-4
"""Largest |simulated - shipped| output, relative to the largest simulated output, that a run may show."""


class Mismatch(RuntimeError):
    """What was simulated is not what ships."""


@dataclasses.dataclass(frozen=True)
class Setting:
    """What every point of a task shares."""

    task: Task
    data: Data  # on the device
    loop: Loop
    teachers: Mapping[int, Teacher] = dataclasses.field(default_factory=dict)  # by seed; else the dense net


def run(setting: Setting, method: Method, dense: Dense, strength, folder: Path, report: Callable) -> Result:
    """Optimizes, exports to `folder`/artifact.safetensors, checks and measures it.

    Raises Diverged or Mismatch, which are recorded as failures.
    """
    task, data = setting.task, setting.data
    calibration, clock = Calibration(task, data.calibration), Clock()
    problem = Problem(
        net=task.net,
        example=next(batches(task, data.calibration))[0]["x"][:1],
        calibration=calibration,
        loss=lambda out, batch: jnp.mean(task.loss(out, batch)),
        recovery_steps=task.recovery.steps if method.recovers else 0,
        teacher=setting.teachers.get(dense.seed, Teacher(task.net, dense.variables)),
    )
    path, notes = Path(folder) / "artifact.safetensors", []
    with collected(notes):
        net, variables, state = _optimize(setting, method, problem, dense, strength, folder, clock, report)
        artifact.write(path, *method.export(state, net, variables), problem.example)
    shipped = artifact.read(path)
    error = _agreement(method, net, variables, state, shipped, next(batches(task, data.calibration))[0]["x"])
    cost = _cost(clock, problem, calibration, task.recovery.batch_size, state)
    return _measured(setting, dense, shipped, path, error, cost, notes)


def _optimize(setting, method, problem, dense, strength, folder, clock, report):
    before, after = jax.random.split(jax.random.key(dense.seed))
    strength = jax.tree.map(jnp.float32, strength)
    with clock:
        net, variables, state = method.init(before, problem, dense.variables, strength)
    if problem.recovery_steps:
        program = Program(setting.task, net, in_graph(method), setting.task.recovery)
        loop = setting.loop
        checkpoints = Checkpoints(Path(folder) / "checkpoints", loop.checkpoint_every, loop.keep)
        carry = checkpoints.latest(start(program, variables, state))
        with clock:
            carry = train(
                program,
                carry,
                setting.data.train,
                dense.seed,
                log_every=loop.log_every,
                clock=clock,
                report=report,
                save=checkpoints.save,
            )
            jax.block_until_ready(carry)
        checkpoints.close(delete=True)
        variables, state = {"params": carry.params, **carry.rest}, carry.state
    with clock:
        state = jax.block_until_ready(method.settle(after, problem._replace(net=net), variables, state))
        if method.renorms:
            seen = with_params(variables, jax.jit(method.view)(state, variables["params"]))
            renewed = reestimate(net, seen, problem.calibration, tap=method.tap(state))
            variables = jax.block_until_ready(with_params(renewed, variables["params"]))
    return net, variables, state


def _simulate(method, net, variables, state, x):
    """(weights that run, outputs) of the net under a method's view and tap."""
    seen = jax.jit(method.view)(state, variables["params"])
    variables = with_params(variables, seen)
    if method.tap(state) is None:  # then the program is the one that times the net, compiled or needed anyhow
        return seen, measure.compile_forward(net, variables, x)[0](variables, x)
    return seen, _tapped(method.tap, net, variables, state, x)


@partial(jax.jit, static_argnums=(0, 1))
def _tapped(tap, net, variables, state, x):
    return forward(net, variables, x, tap=tap(state))[0]


def _agreement(method, net, variables, state, shipped, x) -> float:
    """Largest output difference between the simulated and the shipped net, relative. Raises Mismatch."""
    seen, simulated = _simulate(method, net, variables, state, x)
    ships = decoded(shipped.variables)
    if shipped.net == net:
        decoded_weights = flatten(ships["params"])
        for path, weight in flatten(seen).items():
            if not np.array_equal(weight, decoded_weights[path]):
                raise Mismatch(f"{path}: the shipped weights differ from those that ran")
    out = measure.compile_forward(shipped.net, ships, x)[0](ships, x)
    error = float(jnp.max(jnp.abs(out - simulated)) / jnp.maximum(jnp.max(jnp.abs(simulated)), 1e-30))
    if not error <= TOLERANCE:
        raise Mismatch(f"shipped outputs differ from simulated ones by {error:.2g}, more than {TOLERANCE}")
    return error


def _cost(clock, problem, calibration, batch_size, state) -> Cost:
    nodes = jax.tree.leaves(state, is_leaf=lambda node: isinstance(node, Teacher))
    examples = problem.recovery_steps * batch_size
    return Cost(
        seconds=digits(clock.seconds, 4),
        compile_s=digits(clock.compile_s, 4),
        steps=problem.recovery_steps,
        labelled_examples=examples,
        calibration_examples=calibration.examples,
        teacher_forwards=examples if any(isinstance(node, Teacher) for node in nodes) else 0,
    )


def _measured(setting, dense, shipped, path, error, cost, notes) -> Result:
    """What the artifact is and does, read off the file and the net decoded from it."""
    task, data, variables = setting.task, setting.data, decoded(shipped.variables)
    batch = next(batches(task, data.calibration))[0]["x"]
    compiled, _ = measure.compile_forward(shipped.net, variables, batch)
    scores = {name: outcomes(task, partial(compiled, variables), getattr(data, name)) for name in ("valid", "test")}
    counts = count(shipped.net, shipped.variables, batch[:1])
    return Result(
        quality=digits(quality(scores["test"]), 8),
        valid_quality=digits(quality(scores["valid"]), 8),
        outcomes=_encoded(task, scores["test"]),
        artifact=hashlib.sha256(path.read_bytes()).hexdigest(),
        bytes=path.stat().st_size,
        parameters=counts.parameters,
        density=digits(counts.density),
        macs=counts.macs,
        effective_macs=digits(counts.effective_macs, 8),
        bops=digits(counts.bops, 8),
        execution=_execution(shipped, counts),
        latency=[_latency(shipped.net, variables, task.net, dense.variables, x) for x in (batch[:1], batch)],
        memory_bytes=measure.memory(compiled),
        cost=cost,
        output_error=digits(error, 3),
        notes=notes,
    )


def _encoded(task, values):
    if task.metric.outcome == "correct":
        return "".join("1" if right else "0" for right in values)
    return [digits(float(value)) for value in values]


def _execution(shipped, counts) -> str:
    """ "deployed" where nothing is rounded or masked, so that what is timed is what would run; else "simulated"."""
    leaves = jax.tree.leaves(shipped.variables, is_leaf=is_quantized)
    rounded = "activations" in shipped.variables or any(is_quantized(leaf) for leaf in leaves)
    return "simulated" if rounded or counts.density < 0.99 else "deployed"


def _latency(net, variables, dense_net, dense_variables, x) -> Latency:
    compiled, seconds = measure.compile_forward(net, variables, x)
    reference, _ = measure.compile_forward(dense_net, dense_variables, x)
    timed = measure.latency(partial(compiled, variables), partial(reference, dense_variables), x)
    return Latency(
        batch=len(x),
        median_ms=digits(timed.median_ms, 4),
        p95_ms=digits(timed.p95_ms, 4),
        dense_median_ms=digits(timed.dense_median_ms, 4),
        compile_s=digits(seconds, 3),
    )
