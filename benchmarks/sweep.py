"""The grid: every task, method, strength and seed of a config, what is finished skipped; one record per curve."""

import contextlib
import dataclasses
from pathlib import Path

import numpy as np

from benchmarks import point, records
from benchmarks.config import Config, method, scaled, strengths
from benchmarks.dense import Dense, obtain
from benchmarks.loop import Diverged
from benchmarks.progress import Progress
from benchmarks.scalars import Scalars
from benchmarks.step import Program, in_graph
from leaderboard.record import Run, digest, write
from methods import METHODS
from tasks import TASKS
from tasks.base import part, prepared


def sweep(config: Config, workdir: Path, command: str) -> list[Path]:
    """Runs what is not finished; returns the paths of the records, under workdir/records."""
    progress = Progress(sum(_steps(config, task) for task in config.tasks))
    provenance = records.provenance(command)
    written = []
    for name in config.tasks:
        progress.at(name)
        decoded = part(TASKS[name].load(), config.budget.examples)
        data = prepared(TASKS[name], decoded)
        nets = [_dense(config, name, data, seed, workdir, progress) for seed in config.seeds]
        task = records.task_info(name, decoded)
        _announce(progress, task, nets)
        for method_name in config.methods:
            curve = records.curve_of(config, name, method_name, workdir)
            _run_curve(config, curve, data, nets, progress)
            record = records.assemble(config, curve, task, nets, provenance)
            written.append(workdir / "records" / name / f"{curve.method}-{curve.digest}.json")
            write(written[-1], record)
    progress.close()
    return written


def _steps(config, task):
    dense = scaled(TASKS[task].dense, config.budget.dense).steps
    recovery = scaled(TASKS[task].recovery, config.budget.recovery).steps
    points = sum(len(strengths(config, m)) for m in config.methods if method(config, m).recovers)
    return len(config.seeds) * (dense + points * recovery)


def _dense(config, name, data, seed, workdir, progress) -> Dense:
    task = TASKS[name]
    recipe = scaled(task.dense, config.budget.dense)
    folder = workdir / name / f"dense-net-{digest(dataclasses.asdict(recipe) | {'version': task.version})}"
    progress.at(name, "dense net", f"seed {seed}")
    program = Program(task, task.net, in_graph(METHODS["dense"]()), recipe)
    with contextlib.closing(_Reporter(progress, recipe.steps, folder / f"seed{seed}")) as report:
        return obtain(program, data, seed, folder / f"seed{seed}", config.loop, report)


def _announce(progress, task, nets):
    for net in nets:
        better = net.quality >= task.reach if task.higher_is_better else net.quality <= task.reach
        verdict = "reaches" if better else "MISSES"
        controls = "".join(f"; {name} {value:.4g}" for name, value in task.controls.items())
        progress.at(task.name, "dense net", f"seed {net.seed}")
        progress.say(f"{task.metric} {net.quality:.4f} {verdict} {task.reach:g}{controls}")


def _run_curve(config, curve, data, nets, progress):
    setting = point.Setting(
        TASKS[curve.task], data, scaled(TASKS[curve.task].recovery, config.budget.recovery), config.loop
    )
    made = method(config, curve.method)
    for strength in strengths(config, curve.method):
        for dense in nets:
            file = curve.run_file(strength, dense.seed)
            if file.exists() and records.load_run(file).dense == dense.checkpoint:
                progress.skip(setting.recovery.steps if made.recovers else 0)
                continue
            progress.at(curve.task, curve.method, records.label(strength), f"seed {dense.seed}")
            records.save_run(file, _run(setting, made, dense, strength, file.parent, progress))


def _run(setting, made, dense, strength, folder, progress) -> Run:
    try:
        with contextlib.closing(_Reporter(progress, setting.recovery.steps, folder)) as report:
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
