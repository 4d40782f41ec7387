"""Equal tuning: the settings that a method declares are tried, each once, and the best on valid holds for its curve."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import jax
import numpy as np
from msgspec.structs import replace

from benchmarks.measure.quality import Calibration, batches
from benchmarks.measure.shipped import simulated
from benchmarks.plan.job import Job
from benchmarks.plan.recipes import training
from benchmarks.sweep.places import method_of, trial_place
from benchmarks.sweep.setting import Setting
from benchmarks.sweep.start import Nets, run
from benchmarks.sweep.stored import Spent, StoredTrial, load
from benchmarks.train.loop import Diverged
from benchmarks.train.optimize import Optimized, Watch
from leaderboard.record.canonical import digits
from leaderboard.record.layout import TRIAL
from leaderboard.record.schema import Trial, Tuning
from methods import METHODS
from methods.base import Method, Shipped
from tasks.base import Arrays, Task, count


def tried(
    job: Job, here: Setting, nets: Nets, copied: Mapping[str, int] | None, watch: Watch
) -> tuple[float | None, Spent]:
    """Trains with the settings of a trial; returns the loss on valid, None if that or a step's is not finite, and cost.

    Args:
      job: the trial.
      here: the setting of its task.
      nets: of its seed.
      copied: weights that the run which it copies has kept, by path.
      watch: how the training is reported, timed and kept.
    """
    recipe, made = training(here.task, METHODS[job.method].about), job.steps
    labels = made * recipe.batch_size if recipe else 0
    try:
        problem, done = run(job, here, nets, copied, watch)
        loss = valid_loss(here.task, method_of(job), done, here.data.valid)
        taken = cast(Calibration, problem.calibration).taken
        labels, made = labels + count(here.data.valid) + taken.labelled, made + taken.steps
    except Diverged:
        loss = math.nan
    spent = Spent(digits(watch.clock.seconds, 4), made, labels)
    return digits(loss, 8) if math.isfinite(loss) else None, spent


def valid_loss(task: Task, method: Method, done: Optimized, valid: Arrays) -> float:
    """Returns the task's loss, the mean over all examples of valid, summed in float64, of the simulated net.

    Args:
      task: whose loss it is.
      method: simulates by its view and its tap.
      done: the net that it has optimized.
      valid: the split, on the device.
    """
    run = simulated(method, done.state, Shipped(done.net, done.variables))
    score = jax.jit(task.loss)
    losses = [score(run(batch["x"]), batch)[:count] for batch, count in batches(task, valid)]
    return float(np.mean(np.concatenate(jax.device_get(losses)), dtype=np.float64))


def best(losses: Sequence[float | None]) -> int:
    """Returns the index of the least loss, the first of equal ones; None counts as the worst."""
    ranked = [math.inf if loss is None else loss for loss in losses]
    return ranked.index(min(ranked))


def resolved(job: Job, here: Setting, workdir: Path) -> Job | None:
    """Returns the job with its settings chosen, and those of the run that it copies; None if a trial is not finished.

    Args:
      job: a point or a trial.
      here: the setting of its task.
      workdir: where everything goes.
    """
    if job.copied is not None:
        copied = resolved(job.copied, here, workdir)
        if copied is None:
            return None
        job = replace(job, copied=copied)
    if job.tuning is None or job.settings is not None:
        return job
    found = _trials(job, here, workdir)
    return replace(job, settings=job.tuning.settings[best([trial.loss for trial in found])]) if found else None


def record(job: Job, here: Setting, workdir: Path) -> Tuning | None:
    """Returns how the settings of a curve were chosen; None where nothing was tried.

    Args:
      job: a point of it, its settings chosen.
      here: the setting of its task.
      workdir: where the trials lie.
    """
    found = _trials(job, here, workdir)
    if job.tuning is None or not found:
        return None
    return Tuning(
        seed=job.tuning.seed,
        strength=list(job.tuning.strength),
        settings=job.settings or {},
        trials=[Trial(settings=trial.settings, loss=trial.loss) for trial in found],
        seconds=digits(math.fsum(trial.cost.seconds for trial in found), 4),
        steps=sum(trial.cost.steps for trial in found),
        labelled_examples=sum(trial.cost.labelled_examples for trial in found),
    )


def _trials(job: Job, here: Setting, workdir: Path) -> list[StoredTrial]:
    """The trials of a job's curve in order, once all are finished."""
    settings = job.tuning.settings if job.tuning else ()
    files = [trial_place(replace(job, settings=one), here, workdir).folder / TRIAL for one in settings]
    found = [load(file, StoredTrial)[0] for file in files]
    return [trial for trial in found if trial] if all(found) else []
