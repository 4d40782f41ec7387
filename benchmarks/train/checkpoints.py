"""Checkpoints by Orbax: saved asynchronously, by time, the last few kept; each with a hash of what it holds."""

import hashlib
import shutil
import time
import warnings
from collections.abc import Container
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp

from methods.base import PyTree
from methods.paths import flatten


class Damaged(UserWarning):
    """A checkpoint that cannot be restored; an older one is taken."""


class Checkpoints:
    """Of one training run: one every `every_s` seconds, the last `keep` of them and those that end a round.

    `facts` is what else a resumed run must know, a JSON value. Opens nothing until there is something to do.
    """

    def __init__(self, folder: Path, every_s: float, keep: int, round_steps: int = 0) -> None:
        """Binds a folder, which need not be there.

        Args:
          folder: where they lie.
          every_s: seconds between two of them.
          keep: how many stay, the last ones.
          round_steps: steps of a round; the one after each that many stays as well. 0: there is one round.
        """
        self.folder, self.every_s, self.keep = Path(folder).absolute(), every_s, keep
        self.round_steps = round_steps
        self._manager: ocp.CheckpointManager | None = None
        self._last = time.monotonic()
        shutil.rmtree(self._old, ignore_errors=True)  # left by a process that was killed while it removed them

    @property
    def _old(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.old")

    def _open(self) -> ocp.CheckpointManager:
        if self._manager is None:
            options = ocp.CheckpointManagerOptions(
                max_to_keep=self.keep, keep_period=self.round_steps or None, enable_async_checkpointing=True
            )
            self._manager = ocp.CheckpointManager(self.folder, options=options)
        return self._manager

    def latest(self, like: PyTree, steps: Container[int] | None = None) -> tuple[PyTree, Any]:
        """Returns the newest checkpoint of some steps that is whole, and its facts; (`like`, None) if there is none.

        Args:
          like: a tree of its structure, shapes and dtypes.
          steps: those that count; None for all.

        One that cannot be read, or does not have the hash that it was saved with, is told by a `Damaged` warning,
        set aside, and the one before it is tried.
        """
        if not self.folder.exists():
            return like, None
        for step in sorted(self._steps(), reverse=True):
            if steps is not None and step not in steps:
                continue
            try:
                return self._restore(step, like)
            except Exception as error:  # whatever Orbax and TensorStore make of a damaged file
                self.close()
                _set_aside(self.folder / str(step))
                said = " ".join(str(error).split())[:200]
                warnings.warn(Damaged(f"{self.folder / str(step)}: {type(error).__name__}: {said}"), stacklevel=2)
        return like, None

    def _steps(self) -> list[int]:
        return [int(path.name) for path in self.folder.iterdir() if path.name.isdecimal()]

    def _restore(self, step: int, like: PyTree) -> tuple[PyTree, Any]:
        leaves, structure = jax.tree.flatten(like)
        wanted = ocp.args.Composite(leaves=ocp.args.StandardRestore(_numbered(leaves)), facts=ocp.args.JsonRestore())
        saved = self._open().restore(step, args=wanted)
        found = [saved["leaves"][name] for name in _numbered(leaves)]
        if leaves_hash(found) != saved["facts"]["hash"]:
            raise ValueError("it does not have the hash that it was saved with")
        return jax.tree.unflatten(structure, found), saved["facts"]["facts"]

    def due(self) -> bool:
        """Returns whether it is time for the next one."""
        return time.monotonic() - self._last >= self.every_s

    def save(self, step: int, tree: PyTree, facts: Any) -> None:
        """Saves a checkpoint; returns once the arrays are copied, and writes in the background.

        Args:
          step: that it is of.
          tree: arrays.
          facts: what else a resumed run must know, a JSON value.
        """
        leaves = jax.tree.leaves(tree)
        stamped = {"hash": leaves_hash(leaves), "facts": facts}
        args = ocp.args.Composite(leaves=ocp.args.StandardSave(_numbered(leaves)), facts=ocp.args.JsonSave(stamped))
        self._open().save(step, args=args, force=True)
        self._last = time.monotonic()

    def close(self) -> None:
        """Waits for writes under way."""
        if self._manager is not None:
            self._manager.close()
            self._manager = None

    def delete(self) -> None:
        """Removes all checkpoints: the run is done. They are renamed first, so that a killed removal leaves none."""
        self.close()
        if self.folder.exists():
            self.folder.rename(self._old)
            shutil.rmtree(self._old, ignore_errors=True)


def _set_aside(folder: Path) -> None:
    """Renames a damaged checkpoint to a name that is no step."""
    target = folder.with_name(f"{folder.name}.bad")
    shutil.rmtree(target, ignore_errors=True)
    folder.rename(target)


def _numbered(leaves) -> dict:
    # Orbax needs plain containers; the state's own types come back from the structure at hand.
    return {f"{i:04d}": leaf for i, leaf in enumerate(leaves)}


def leaves_hash(leaves: list) -> str:
    """Returns the SHA-256, 16 hex digits, over shapes, dtypes and bytes of arrays in their order."""
    return _hash(("", leaf) for leaf in leaves)


def weights_hash(variables: PyTree) -> str:
    """Returns the SHA-256, 16 hex digits, over paths, shapes, dtypes and bytes of all leaves: it names a dense net."""
    return _hash((f"{path} ", leaf) for path, leaf in sorted(flatten(variables).items()))


def _hash(named) -> str:
    digest = hashlib.sha256()
    for name, leaf in named:
        array = np.asarray(leaf)
        digest.update(f"{name}{array.shape} {array.dtype.str}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]
