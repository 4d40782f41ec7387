"""From finished runs to the record of a curve."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import msgspec

from benchmarks import measure
from benchmarks.files import write_atomically
from leaderboard import record
from leaderboard.record import Provenance, Run, TaskInfo
from tasks import TASKS
from tasks.base import Data, fingerprint, rows

LIBRARIES = ("flax", "jax", "jaxlib", "numpy", "optax", "orbax-checkpoint", "safetensors", "scikit-learn", "scipy")


def label(strength) -> str:
    """The folder name of a strength: "0.5", and "0.5+8" of a chain."""
    parts = strength if isinstance(strength, tuple | list) else (strength,)
    return "+".join(f"{part:g}" for part in parts)


def task_info(name: str, data: Data) -> TaskInfo:
    task = TASKS[name]
    return TaskInfo(
        name=name,
        version=task.version,
        modality=task.modality,
        source=task.source,
        fingerprint=fingerprint(data),
        rows={split: rows(getattr(data, split)) for split in Data._fields},
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
    write_atomically(path, (record.dumps(msgspec.to_builtins(run)) + "\n").encode())


def load_run(path: Path) -> Run:
    return msgspec.json.decode(Path(path).read_bytes(), type=Run)
