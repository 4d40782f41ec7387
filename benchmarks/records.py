"""From finished runs to the record of a curve."""

import dataclasses
import platform
import subprocess
from collections import defaultdict
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec

from benchmarks import measure
from benchmarks.config import Budget, Config, method, resolved
from benchmarks.dense import Dense
from leaderboard import record
from leaderboard.files import write_atomically
from leaderboard.rows import strength_text
from leaderboard.schema import SCHEMA, MethodInfo, Point, Provenance, Record, Run, TaskInfo
from leaderboard.schema import Dense as DenseRow
from tasks.base import Data, Task, count, fingerprint

LIBRARIES = ("flax", "jax", "jaxlib", "numpy", "optax", "orbax-checkpoint", "safetensors", "scikit-learn", "scipy")


@dataclasses.dataclass(frozen=True)
class Curve:
    """A method's configuration on a task, and where its runs lie."""

    task: str
    method: str
    digest: str
    folder: Path

    def run_file(self, strength, seed: int) -> Path:
        return self.folder / strength_text(strength) / f"seed{seed}" / "run.json"


def curve_of(config: Config, task: str, name: str, workdir: Path) -> Curve:
    key = record.digest(resolved(config, task, name))
    return Curve(task, name, key, workdir / task / f"{name}-{key}")


def task_info(task: Task, data: Data) -> TaskInfo:
    return TaskInfo(
        name=task.name,
        version=task.version,
        modality=task.modality,
        source=f"{task.variant()}: {task.source}" if task.variant() else task.source,
        fingerprint=fingerprint(data),
        rows={split: count(getattr(data, split)) for split in Data._fields},
        metric=task.metric.name,
        outcome=task.metric.outcome,
        higher_is_better=task.metric.higher_is_better,
        eval_batch=task.eval_batch,
        reach=task.reach,
        controls={name: record.digits(value) for name, value in task.controls(data).items()},
    )


def provenance(command: str) -> Provenance:
    """What ran, where: commit, libraries, device."""
    return Provenance(
        command=command,
        commit=_git("rev-parse", "HEAD") or "unknown",
        dirty=bool(_git("status", "--porcelain", "--", "*.py")),
        libraries={"python": platform.python_version()} | {name: version(name) for name in LIBRARIES},
        device=measure.device(),
    )


def _git(*args) -> str:
    done = subprocess.run(["git", *args], cwd=Path(__file__).parent, capture_output=True, text=True)
    return done.stdout.strip()


def save_run(path: Path, run: Run) -> None:
    write_atomically(path, record.dumps(msgspec.to_builtins(run)) + "\n")


def load_run(path: Path) -> Run:
    return msgspec.json.decode(Path(path).read_bytes(), type=Run)


def assemble(config: Config, curve: Curve, task: TaskInfo, nets: Sequence[Dense], provenance: Provenance) -> Record:
    """The record of all finished runs that started from `nets`, at whatever strengths they were asked for."""
    known = {net.seed: net.checkpoint for net in nets}
    runs = defaultdict(list)
    for file in sorted(curve.folder.glob("*/seed*/run.json")):
        run = load_run(file)
        if known.get(run.seed) == run.dense:
            runs[tuple(float(part) for part in file.parts[-3].split("+"))].append(run)
    points = [
        Point(strength=list(s) if len(s) > 1 else s[0], runs=sorted(runs[s], key=lambda run: run.seed))
        for s in sorted(runs)
    ]
    made = method(config, curve.method)
    return Record(
        schema=SCHEMA,
        task=task,
        method=MethodInfo(
            name=curve.method,
            family=made.family,
            control=made.control,
            knob=made.knob,
            digest=curve.digest,
            recovers=made.recovers,
        ),
        division="closed" if config.budget == Budget() else "open",
        config=resolved(config, curve.task, curve.method),
        provenance=provenance,
        verified=[],
        dense=[DenseRow(seed=n.seed, checkpoint=n.checkpoint, quality=n.quality, bytes=n.bytes) for n in nets],
        points=points,
    )
