"""From the finished runs of a workdir to the record of a curve."""

from collections import defaultdict
from pathlib import Path

import msgspec

from benchmarks.plan.config import Budget, Strength
from benchmarks.plan.job import Job
from benchmarks.plan.plan import Skipped
from benchmarks.plan.recipes import curve_config
from benchmarks.sweep import tuning
from benchmarks.sweep.places import net_place, point_place
from benchmarks.sweep.setting import Setting
from benchmarks.sweep.stored import StoredDense, StoredRun, load
from leaderboard.record.canonical import digest
from leaderboard.record.layout import DENSE, RUN, run_folder
from leaderboard.record.schema import PROTOCOL, SCHEMA, Dense, MethodInfo, Point, Provenance, Record, Run, Tuning
from methods import METHODS


def assemble(job: Job, here: Setting, workdir: Path) -> Record | None:
    """Returns the record of all finished runs of a curve, whatever strengths and seeds this command asked for.

    Args:
      job: any point of the curve.
      here: the setting of its task.
      workdir: where the runs lie.

    Returns:
      None if no run has finished.
    """
    point = tuning.resolved(job, here, workdir)
    if point is None:
        return None
    job = point
    nets, runs, ran = _nets(job, here, workdir), defaultdict(list), {}
    place = point_place(job, here, workdir)
    for file in sorted(place.shared.glob(f"*/seed*/{RUN}")):
        stored, _ = load(file, StoredRun)
        if stored is None:
            continue
        run, net = stored.run, nets.get(stored.run.seed)
        folder = run_folder(workdir, job.task, job.method, place.digest, stored.strength, run.seed)
        if net and net.checkpoint == run.dense and file.parent == folder:
            runs[stored.strength].append(run)
            ran[run.provenance] = stored.provenance
    return _record(job, here, nets, runs, ran, tuning.record(job, here, workdir)) if runs else None


def skipped(left_out: Skipped, here: Setting, workdir: Path) -> Record | None:
    """Returns the record of a curve that cannot be run: each of its points says why. None without any dense net.

    Args:
      left_out: the curve.
      here: the setting of its task.
      workdir: where the dense nets lie.
    """
    nets, runs = _nets(left_out.jobs[0], here, workdir), defaultdict(list)
    for job in left_out.jobs:
        if net := nets.get(job.seed):
            facts = {"dense": net.checkpoint, "identity": None, "provenance": _key(net.provenance)}
            run = Run(seed=job.seed, **facts, result=None, failure=None, skipped=left_out.reason)
            runs[job.strength].append(run)
    return _record(left_out.jobs[0], here, nets, runs, {}) if runs else None


def _nets(job, here, workdir) -> dict[int, StoredDense]:
    """The dense nets that were trained, by seed."""
    shared = net_place(job, here, workdir, teacher=False).shared
    found = (load(file, StoredDense)[0] for file in sorted(shared.glob(f"seed*/{DENSE}")))
    return {net.seed: net for net in found if net and net.failure is None}


def _key(provenance: Provenance) -> str:
    return digest(msgspec.to_builtins(provenance))


def _record(
    job: Job,
    here: Setting,
    nets: dict[int, StoredDense],
    runs: dict[Strength, list[Run]],
    ran: dict[str, Provenance],
    tuned: Tuning | None = None,
) -> Record:
    about, config = METHODS[job.method].about, curve_config(job)
    seeds = sorted({run.seed for at in runs.values() for run in at})
    ran = ran | {_key(nets[seed].provenance): nets[seed].provenance for seed in seeds}
    return Record(
        schema=SCHEMA,
        protocol=PROTOCOL,
        task=here.info,
        method=MethodInfo(
            name=job.method,
            family=about.family,
            control=about.control,
            reference=about.reference,
            knobs=[knob.name for knob in about.knobs],
            digest=digest(config),
            budget=about.budget,
        ),
        division="closed" if job.budget == Budget() and not job.trajectory else "open",
        config=config,
        provenance=dict(sorted(ran.items())),
        verified=[],
        dense=[_dense_row(nets[seed]) for seed in seeds],
        points=[
            Point(strength=list(strength), runs=sorted(runs[strength], key=lambda run: run.seed))
            for strength in sorted(runs)
        ],
        tuning=tuned,
    )


def _dense_row(net: StoredDense) -> Dense:
    assert net.checkpoint is not None  # nets whose training failed are left out
    assert net.quality is not None
    assert net.bytes is not None
    return Dense(
        seed=net.seed,
        checkpoint=net.checkpoint,
        quality=net.quality,
        bytes=net.bytes,
        identity=net.identity,
        provenance=_key(net.provenance),
    )
