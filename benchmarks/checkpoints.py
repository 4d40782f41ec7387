"""Checkpoints by Orbax: saved asynchronously, the last few kept, whole or not there at all."""

import hashlib
import shutil
from pathlib import Path

import jax
import numpy as np
import orbax.checkpoint as ocp

from methods.base import PyTree, flatten


class Checkpoints:
    """Of one training run, every `every` steps, the last `keep`. Opens nothing until there is something to do."""

    def __init__(self, folder: Path, every: int, keep: int):
        self.folder, self.every, self.keep = Path(folder).absolute(), every, keep
        self._manager, self._next = None, every

    def _open(self):
        if self._manager is None:
            options = ocp.CheckpointManagerOptions(max_to_keep=self.keep, enable_async_checkpointing=True)
            self._manager = ocp.CheckpointManager(self.folder, options=options)
        return self._manager

    def latest(self, like: PyTree) -> PyTree:
        """The newest checkpoint, shaped `like`; `like` itself if there is none."""
        if not self.folder.exists() or self._open().latest_step() is None:
            return like
        manager = self._open()
        leaves, structure = jax.tree.flatten(like)
        saved = manager.restore(manager.latest_step(), args=ocp.args.StandardRestore(_numbered(leaves)))
        self._next = manager.latest_step() + self.every
        return jax.tree.unflatten(structure, [saved[name] for name in _numbered(leaves)])

    def save(self, step: int, tree: PyTree) -> None:
        """Saves if `step` is due; returns once the arrays are copied, and writes in the background."""
        if step >= self._next:
            self._next = step + self.every
            self._open().save(step, args=ocp.args.StandardSave(_numbered(jax.tree.leaves(tree))))

    def close(self, *, delete: bool) -> None:
        """Waits for writes under way; with `delete`, removes all checkpoints: the run is done."""
        if self._manager is not None:
            self._manager.close()
            self._manager = None
        if delete:
            shutil.rmtree(self.folder, ignore_errors=True)


def _numbered(leaves) -> dict:
    # Orbax needs plain containers; the state's own types come back from the structure at hand.
    return {f"{i:04d}": leaf for i, leaf in enumerate(leaves)}


def weights_hash(variables: PyTree) -> str:
    """SHA-256 over paths, shapes, dtypes and bytes of all leaves, 16 hex digits: names a dense checkpoint."""
    digest = hashlib.sha256()
    for path, leaf in sorted(flatten(variables).items()):
        array = np.asarray(leaf)
        digest.update(f"{path} {array.shape} {array.dtype.str}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]
