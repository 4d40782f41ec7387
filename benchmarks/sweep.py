"""The grid: every task, method, strength and seed of a config, what is finished skipped; one record per curve."""

import contextlib
import dataclasses
from pathlib import Path

import numpy as np

from benchmarks import point, records
from benchmarks.config import Config, method, strengths, task_of
from benchmarks.dense import Dense, obtain
from benchmarks.loop import Diverged
from benchmarks.memory import forget_programs
from benchmarks.progress import Progress
from benchmarks.scalars import Scalars
from benchmarks.step import Program, in_graph
from leaderboard.record.canonical import digest
from leaderboard.record.files import write
from leaderboard.record.layout import strength_text
from leaderboard.record.schema import Run
from methods import METHODS
from methods.base import Teacher
from tasks.base import part, prepared


def sweep(config: Config, workdir: Path, command: str) -> list[Path]:
    """Runs what is not finished; returns the paths of the records, under workdir/records."""
    tasks = [task_of(config, name) for name in config.tasks]
    progress = Progress(sum(_steps(config, task) for task in tasks))
    provenance = records.provenance(command)
    written = []
    for earlier, task in enumerate(tasks):
        if earlier:
            forget_programs()
        progress.at(task.name)
        decoded = part(task.load(), config.budget.examples)
        data = prepared(task, decoded)
        nets = _dense(config, task, task.net, "dense net", data, workdir, progress)
        setting = point.Setting(task, data, config.loop, _teachers(config, task, data, workdir, progress))
        info = records.task_info(task, decoded)
        _announce(progress, info, nets)
        for name in config.methods:
            curve = records.curve_of(config, task.name, name, workdir)
            _run_curve(config, curve, setting, nets, progress)
            record = records.assemble(config, curve, info, nets, provenance)
            written.append(workdir / "records" / task.name / f"{curve.method}-{curve.digest}.json")
            write(written[-1], record)
    progress.close()
    return written


def _steps(config, task):
    dense = task.dense.steps * (1 + _has_teacher(config, task))
    points = sum(len(strengths(config, m)) for m in config.methods if method(config, m).recovers)
    return len(config.seeds) * (dense + points * task.recovery.steps)


def _has_teacher(config, task) -> bool:
    return task.teacher is not None and any(method(config, name).taught for name in config.methods)


def _teachers(config, task, data, workdir, progress) -> dict[int, Teacher]:
    """The task's larger nets, by seed, trained where a method asks for them; none where the dense nets teach."""
    if not _has_teacher(config, task):
        return {}
    nets = _dense(config, task, task.teacher, "teacher", data, workdir, progress)
    progress.say(f"{task.metric.name} of the teachers: {', '.join(f'{net.quality:.4f}' for net in nets)}")
    return {net.seed: Teacher(task.teacher, net.variables) for net in nets}


def _dense(config, task, net, name, data, workdir, progress) -> list[Dense]:
    """`net` after the task's dense training, once for each seed."""
    recipe, nets = task.dense, []
    key = digest(dataclasses.asdict(recipe) | {"version": task.version})
    program = Program(task, net, in_graph(METHODS["dense"]()), recipe)
    for seed in config.seeds:
        folder = workdir / task.name / f"{name.replace(' ', '-')}-{key}" / f"seed{seed}"
        progress.at(task.name, name, f"seed {seed}")
        with contextlib.closing(_Reporter(progress, recipe.steps, folder)) as report:
            nets.append(obtain(program, data, seed, folder, config.loop, report))
    return nets


def _announce(progress, task, nets):
    for net in nets:
        verdict = "reaches" if task.reaches(net.quality) else "MISSES"
        controls = "".join(f"; {name} {value:.4g}" for name, value in task.controls.items())
        progress.at(task.name, "dense net", f"seed {net.seed}")
        progress.say(f"{task.metric} {net.quality:.4f} {verdict} {task.reach:g}{controls}")


def _run_curve(config, curve, setting, nets, progress):
    made = method(config, curve.method)
    for strength in strengths(config, curve.method):
        for dense in nets:
            file = curve.run_file(strength, dense.seed)
            if file.exists() and records.load_run(file).dense == dense.checkpoint:
                progress.skip(setting.task.recovery.steps if made.recovers else 0)
                continue
            progress.at(curve.task, curve.method, strength_text(strength), f"seed {dense.seed}")
            records.save_run(file, _run(setting, made, dense, strength, file.parent, progress))


def _run(setting, made, dense, strength, folder, progress) -> Run:
    try:
        with contextlib.closing(_Reporter(progress, setting.task.recovery.steps, folder)) as report:
            result = point.run(setting, made, dense, strength, folder, report)
    except (Diverged, point.Mismatch) as error:
        progress.say(f"FAILED: {error}")
        return Run(seed=dense.seed, dense=dense.checkpoint, result=None, failure=str(error))
    milliseconds = result.latency[-1].median_ms
    progress.say(f"quality {result.quality:.4f}, {result.bytes} bytes, {milliseconds:.2f} ms {result.execution}")
    return Run(seed=dense.seed, dense=dense.checkpoint, result=result, failure=None)


class _Reporter:
    """Turns the loop's reports into progress and TensorBoard scalars."""

    def __init__(self, progress: Progress, steps: int, folder: Path):
        self._progress, self._steps, self._scalars = progress, steps, Scalars(folder)

    def __call__(self, step, losses):
        self._progress.step(len(losses), step, self._steps, float(losses[-1]))
        self._scalars.add(step, loss=float(np.mean(losses)))

    def close(self):
        self._scalars.close()
