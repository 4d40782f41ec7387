"""The dense net of a task and seed: trained once, named by the hash of its weights, where every method starts.

Its weights are those of its artifact, which is exact.
"""

import dataclasses
import functools
from pathlib import Path

from benchmarks.artifact.file import ArtifactError, read_artifact, write_artifact
from benchmarks.measure.forward import compile_forward
from benchmarks.measure.quality import outcomes, quality
from benchmarks.sweep.stored import StoredDense, load, set_aside
from benchmarks.train.checkpoints import weights_hash
from benchmarks.train.optimize import Watch, example, optimize, problem_of
from leaderboard.record.canonical import digits
from leaderboard.record.layout import ARTIFACT, DENSE
from methods import METHODS
from methods.base import PyTree, Shipped
from tasks.base import Data, Task


@dataclasses.dataclass(frozen=True)
class DenseNet:
    """A trained dense net."""

    seed: int
    variables: PyTree
    checkpoint: str  # hash of the weights
    quality: float  # on test, last step
    bytes: int  # of its float32 artifact


def train_dense(task: Task, data: Data, seed: int, folder: Path, watch: Watch) -> DenseNet:
    """Trains the net of `task` from its birth and writes its artifact into `folder`.

    Args:
      task: its `net`, which may be the teacher, is trained by its `dense` recipe.
      data: on the device.
      seed: of everything random.
      folder: where the artifact goes.
      watch: how the training is reported, timed and kept.

    Raises:
      Diverged: a loss is not finite.
    """
    x, dense = example(task, data), METHODS["dense"].make()
    problem = problem_of(task, data, task.dense.steps, seed=seed)
    done = optimize(task, dense, problem, problem.born, (), seed, task.dense, data.train, watch)
    file = folder / ARTIFACT
    shipped = dense.export(done.state, Shipped(done.net, done.variables))
    write_artifact(file, shipped, problem.example)
    scored = quality(outcomes(task, compile_forward(shipped, x).run, data.test))
    return DenseNet(seed, done.variables, weights_hash(done.variables), digits(scored, 8), file.stat().st_size)


def load_dense(folder: Path) -> tuple[StoredDense | None, DenseNet | None, str]:
    """Returns what is known of the dense net in `folder`, the net itself, and a line about what was set aside.

    (None, None, "") if there is none; the net is None where its training failed. Weights that are damaged, or not
    those that dense.json names, are set aside with it.
    """
    stored, said = load(folder / DENSE, StoredDense)
    if stored is None or stored.checkpoint is None:
        return stored, None, said
    try:
        variables = _weights(folder / ARTIFACT, (folder / ARTIFACT).stat().st_mtime_ns, stored.checkpoint)
    except (OSError, ArtifactError, ValueError) as error:
        return None, None, set_aside(folder / DENSE, str(error))
    assert stored.quality is not None
    assert stored.bytes is not None
    return stored, DenseNet(stored.seed, variables, stored.checkpoint, stored.quality, stored.bytes), ""


@functools.lru_cache(maxsize=12)
def _weights(file: Path, modified: int, checkpoint: str) -> PyTree:
    """The weights of an artifact; `modified` keeps an earlier file of the same name apart."""
    variables = read_artifact(file).shipped.variables
    if weights_hash(variables) != checkpoint:
        raise ValueError(f"{file} does not hold the weights {checkpoint} that {DENSE} names")
    return variables
