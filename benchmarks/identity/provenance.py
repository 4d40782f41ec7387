"""What ran, where, and by which command: for one run, as this process started."""

import functools
import shlex
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.identity import identity
from benchmarks.measure.device import device
from leaderboard.record.schema import Provenance

ROOT = Path(__file__).parents[2]
ROOMS = ("methods", "tasks", "benchmarks", "configs")
SOURCES = tuple(f":(top,glob)**/*.{kind}" for kind in ("py", "toml", "lock"))
SOURCES += tuple(f":(top,glob){room}/**/*.json" for room in ROOMS)
"""What may change a result, tracked or not. JSON elsewhere is what commands write, a workdir's say."""
LONGEST = 2000
"""Characters of a command that a record holds."""


def provenance(command: str, files: Iterable[Path]) -> Provenance:
    """Returns the provenance of a run.

    Args:
      command: that started this process.
      files: sources that the run reaches; those that the clone does not track are named.
    """
    commit, dirty = _state()
    return Provenance(
        command=command[:LONGEST],
        commit=commit,
        dirty=dirty,
        outside=sorted(file.name for file in files if file not in _tracked()),
        libraries=identity.libraries(),
        device=device(),
        settings=identity.settings(),
    )


def command(module: str, argv: Sequence[str]) -> str:
    """Returns the shell command that runs a module with these arguments."""
    return shlex.join(["python", "-m", module, *argv])


@functools.cache
def _state() -> tuple[str, bool]:
    """(commit, whether the clone's sources differ from it). Without git nobody knows: ("unknown", True)."""
    commit = _git("rev-parse", "HEAD")
    changed = _git("--no-optional-locks", "status", "--porcelain", "--untracked-files=all", "--", *SOURCES)
    if commit is None or changed is None:
        return "unknown", True
    return commit.strip(), bool(changed.strip())


@functools.cache
def _tracked() -> frozenset[Path]:
    listed = _git("ls-files", "-z", "--full-name", ":(top)*.py") or ""
    top = (_git("rev-parse", "--show-toplevel") or str(ROOT)).strip()
    return frozenset(Path(top, name).resolve() for name in listed.split("\0") if name)


def _git(*args: str) -> str | None:
    """What git prints about this clone; None where it fails."""
    try:
        done = subprocess.run(["git", *args], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout
