"""The files that say what a workdir's dense nets, trials and runs are: dense.json, trial.json and run.json.

Each says by itself what it is of, so that one which lies in another's place is not believed.
"""

from pathlib import Path
from typing import TypeVar

import msgspec

from leaderboard.record.atomic import write_atomically
from leaderboard.record.canonical import dumps
from leaderboard.record.schema import Provenance, Run


class StoredDense(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A dense net that was trained, or what stopped its training."""

    task: str
    identity: str  # digest
    seed: int
    provenance: Provenance
    checkpoint: str | None = None  # hash of the weights
    quality: float | None = None  # on test, last step
    bytes: int | None = None  # of its artifact
    early: dict[str, str] = {}  # hash of the weights that were kept early, by step
    failure: str | None = None


class Spent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a trial has cost."""

    seconds: float  # of optimization
    steps: int
    labelled_examples: int  # of train and of valid


NOTHING = Spent(0.0, 0, 0)


class StoredTrial(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of a method that were tried, or what stopped their trial."""

    task: str
    method: str
    identity: str  # digest
    settings: dict[str, float]
    loss: float | None = None  # on valid; None where the training diverged
    cost: Spent = NOTHING
    failure: str | None = None


class StoredRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A point of a curve that was run."""

    task: str
    method: str
    strength: tuple[float, ...]
    provenance: Provenance
    copied: str | None = None  # SHA-256 of the artifact whose counts of weights it took
    previous: str | None = None  # SHA-256 of the artifact from which it went on
    run: Run

    @property
    def failure(self) -> str | None:
        """Why it failed; None if it did not."""
        return self.run.failure


AnyStored = StoredDense | StoredTrial | StoredRun
Stored = TypeVar("Stored", StoredDense, StoredTrial, StoredRun)


def save(file: Path, stored: AnyStored) -> None:
    """Writes a file, atomically, and only what `load` reads again."""
    value = msgspec.to_builtins(stored)
    msgspec.convert(value, type(stored))
    write_atomically(file, dumps(value) + "\n")


def load(file: Path, kind: type[Stored]) -> tuple[Stored | None, str]:
    """Returns what a file holds, and what was wrong with it.

    One that cannot be read is renamed to *.bad, so that its run is made again: (None, one line that names it).
    (None, "") if there is no such file.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind), ""
    except FileNotFoundError:
        return None, ""
    except (OSError, ValueError) as error:
        return None, set_aside(file, str(error))


def set_aside(file: Path, why: str) -> str:
    """Renames a file that is not believed; returns the line that says so."""
    bad = file.with_name(f"{file.name}.bad")
    file.replace(bad)
    return f"{file}: {' '.join(why.split())[:200]}; set aside as {bad.name}, and made again"
