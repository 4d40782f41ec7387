"""One point of a curve: a method at one strength and seed, from the dense net to what its artifact is and does."""

import hashlib
from functools import partial
from pathlib import Path
from typing import cast

from benchmarks.artifact.file import read_artifact, write_artifact
from benchmarks.measure.clock import Clock
from benchmarks.measure.counts import count
from benchmarks.measure.forward import compile_forward
from benchmarks.measure.latency import latency
from benchmarks.measure.memory import compiled_memory, memory
from benchmarks.measure.quality import Calibration, batches, outcomes, quality
from benchmarks.measure.shipped import agreement, execution
from benchmarks.plan.plan import training
from benchmarks.sweep.dense import DenseNet
from benchmarks.sweep.fallbacks import collected
from benchmarks.sweep.setting import Setting
from benchmarks.train.optimize import Watch, example, optimize, problem_of
from leaderboard.record.canonical import digits
from leaderboard.record.layout import ARTIFACT
from leaderboard.record.schema import Cost, Latencies, Latency, Quartiles, Result
from methods.base import Description, Method, Problem, Shipped, Teacher
from methods.flaxnet import batch_size, first_example


def run_point(
    setting: Setting,
    method: Method,
    about: Description,
    dense: DenseNet,
    teacher: Teacher | None,
    strength: tuple[float, ...],
    folder: Path,
    watch: Watch,
) -> Result:
    """Optimizes, exports to `folder`, checks that what ships is what was simulated, and measures it.

    Args:
      setting: the task and its data.
      method: what optimizes.
      about: what the method is.
      dense: the net that it starts from.
      teacher: for methods that need one.
      strength: one number for each of the method's knobs.
      folder: where the artifact goes.
      watch: how the run is reported, timed and kept.

    Raises:
      Diverged: a loss is not finite.
      Mismatch: the artifact is not what was simulated.
    """
    task, data, notes = setting.task, setting.data, []
    problem = problem_of(task, data, training(task, about), teacher)
    x, file = example(task, data), folder / ARTIFACT
    with collected(notes):
        args = (problem, dense.variables, strength, dense.seed, task.recovery, data.train)
        done = optimize(task, method, *args, watch)
        trained = Shipped(done.net, done.variables)
        write_artifact(file, method.export(done.state, trained), problem.example)
    shipped = read_artifact(file).shipped
    error = agreement(method, done.state, trained, shipped, x)
    spent = cost(watch.clock, problem, task.recovery.batch_size, about)
    return _measured(setting, dense, shipped, file, error, spent, notes)


def cost(clock: Clock, problem: Problem, batch_size: int, about: Description) -> Cost:
    """Returns what optimizing has cost, over all processes that it took.

    Args:
      clock: that measured it.
      problem: what the method looked at.
      batch_size: examples of a training step.
      about: what the method is.
    """
    examples, taken = problem.steps * batch_size, cast(Calibration, problem.calibration).taken
    return Cost(
        seconds=digits(clock.seconds, 4),
        compile_s=digits(clock.compile_s, 4),
        cached=clock.cached,
        starts=clock.starts,
        steps=problem.steps,
        labelled_examples=examples + taken.labelled,
        calibration_examples=taken.examples,
        calibration_drawn=taken.drawn,
        teacher_forwards=examples if "teacher" in about.needs else 0,
    )


def _measured(setting, dense, shipped, file: Path, error, spent, notes) -> Result:
    """What the artifact is and does, read off the file and the net decoded from it."""
    task, data = setting.task, setting.data
    batch = next(batches(task, data.calibration))[0]["x"]
    compiled = compile_forward(shipped, batch)
    scores = {name: outcomes(task, compiled.run, getattr(data, name)) for name in ("valid", "test")}
    counts = count(shipped, batch)
    runs = execution(shipped, counts.density)
    timed = partial(_latency, shipped, Shipped(task.net, dense.variables))
    return Result(
        quality=digits(quality(scores["test"]), 8),
        valid_quality=digits(quality(scores["valid"]), 8),
        outcomes=_encoded(task, scores["test"]),
        artifact=hashlib.sha256(file.read_bytes()).hexdigest(),
        bytes=file.stat().st_size,
        parameters=counts.parameters,
        weight_bits=digits(counts.weight_bits),
        density=digits(counts.density),
        macs=counts.macs,
        effective_macs=digits(counts.effective_macs, 8),
        bops=digits(counts.bops, 8),
        execution=runs,
        latency=Latencies(one=timed(first_example(batch)), batch=timed(batch)),
        memory_bytes=memory(shipped, batch),
        compiled_memory_bytes=compiled_memory(compiled.compiled) if runs == "deployed" else None,
        cost=spent,
        output_error=digits(error, 3),
        notes=notes,
    )


def _encoded(task, values):
    if task.metric.outcome == "correct":
        return "".join("1" if right else "0" for right in values)
    return [digits(float(value)) for value in values]


def _latency(shipped, dense, x) -> Latency:
    compiled = compile_forward(shipped, x)
    timed = latency(compiled, compile_forward(dense, x), x)
    median, low, high = (digits(value, 4) for value in timed.speedup)
    return Latency(
        batch=batch_size(x),
        median_ms=digits(timed.median_ms, 4),
        p95_ms=digits(timed.p95_ms, 4),
        dense_median_ms=digits(timed.dense_median_ms, 4),
        compile_s=digits(compiled.seconds, 3),
        speedup=Quartiles(median=median, low=low, high=high),
        rounds=timed.rounds,
    )
