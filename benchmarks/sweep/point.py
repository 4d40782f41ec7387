"""One point of a curve: a method at one strength and seed, from the dense net to what its artifact is and does."""

import hashlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import cast

import msgspec
from msgspec.structs import replace

from benchmarks.artifact.file import Artifact, read_artifact, write_artifact
from benchmarks.measure.clock import Clock
from benchmarks.measure.counts import count
from benchmarks.measure.forward import compile_forward
from benchmarks.measure.latency import latency
from benchmarks.measure.memory import compiled_memory, memory
from benchmarks.measure.quality import Calibration, batches, outcomes, quality
from benchmarks.measure.shipped import agreement, execution
from benchmarks.plan.job import Job
from benchmarks.plan.recipes import training
from benchmarks.sweep.fallbacks import collected
from benchmarks.sweep.places import method_of
from benchmarks.sweep.setting import Setting
from benchmarks.sweep.start import Nets, run
from benchmarks.sweep.stored import StoredRun
from benchmarks.train.optimize import Watch, example
from leaderboard.record.canonical import digits
from leaderboard.record.layout import ARTIFACT
from leaderboard.record.schema import Cost, Latencies, Latency, Quartiles, Result
from methods import METHODS
from methods.base import Description, Problem, Shipped
from methods.flaxnet import batch_size, first_example


def run_point(
    setting: Setting, job: Job, nets: Nets, copied: Mapping[str, int] | None, folder: Path, watch: Watch
) -> Result:
    """Optimizes, exports to `folder`, checks that what ships is what was simulated, and measures it.

    Args:
      setting: the task and its data.
      job: the point, its settings chosen.
      nets: of its seed.
      copied: weights that the run which it copies has kept, by path.
      folder: where the artifact goes.
      watch: how the run is reported, timed and kept.

    Raises:
      Diverged: a loss is not finite.
      Mismatch: the artifact is not what was simulated.
    """
    method, about, notes, file = method_of(job), METHODS[job.method].about, [], folder / ARTIFACT
    with collected(notes):
        problem, done = run(job, setting, nets, copied, watch)
        trained = Shipped(done.net, done.variables)
        write_artifact(file, method.export(done.state, trained), problem.example)
    read = read_artifact(file)
    shipped = read.shipped
    error = agreement(method, done.state, trained, shipped, example(setting.task, setting.data))
    recipe = training(setting.task, about)
    spent = cost(watch.clock, problem, recipe.batch_size if recipe else 0, about)
    return _measured(setting, nets.dense, read, file, error, spent, notes)


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
        steps=problem.steps + taken.steps,
        labelled_examples=examples + taken.labelled,
        calibration_examples=taken.examples,
        calibration_drawn=taken.drawn,
        teacher_forwards=examples if "teacher" in about.needs else 0,
    )


def with_previous(result: Result, previous: StoredRun | None) -> Result:
    """Returns a result whose cost is that of all its trajectory: what led to the net from which it went on is added.

    Args:
      result: of a point.
      previous: the run from which it went on; None if it began from nets that everybody has.
    """
    if previous is None or previous.run.result is None:
        return result
    own, before = (msgspec.structs.asdict(cost) for cost in (result.cost, previous.run.result.cost))
    total = {name: own[name] + before[name] for name in own}
    total |= {name: digits(total[name], 4) for name in ("seconds", "compile_s")}
    distinct = {"calibration_examples": max(own["calibration_examples"], before["calibration_examples"])}
    return replace(result, cost=Cost(**total | distinct))


def _measured(setting, dense, read: Artifact, file: Path, error, spent, notes) -> Result:
    """What the artifact is and does, read off the file and the net decoded from it."""
    task, data, shipped = setting.task, setting.data, read.shipped
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
        payload=read.payload,
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
