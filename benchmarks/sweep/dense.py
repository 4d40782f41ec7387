"""The dense net of a task and seed: trained once, named by the hash of its weights, where every method starts.

Its weights are those of its artifact, which is exact. So are those that it had early in its training, and that lie
beside it: the loop shows them as it comes by, and trains no differently for that.
"""

import dataclasses
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.artifact.file import ArtifactError, read_artifact, write_artifact
from benchmarks.measure.forward import compile_forward
from benchmarks.measure.quality import outcomes, quality
from benchmarks.plan.recipes import early_steps
from benchmarks.sweep.stored import StoredDense, load, set_aside
from benchmarks.train.checkpoints import weights_hash
from benchmarks.train.loop import Marks
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
    early: "Early"


class Early(Mapping):
    """The weights that dense training kept early, by step: read, and verified, when they are looked at."""

    def __init__(self, folder: Path, hashes: Mapping[int, str]) -> None:
        """Binds the folder of a dense net, and the hashes of weights by step."""
        self._folder, self.hashes = folder, hashes

    def __getitem__(self, step: int) -> PyTree:
        """Returns the variables. Raises ArtifactError where they are damaged: then the dense net is set aside."""
        file, key = early_file(self._folder, step), self.hashes[step]
        try:
            return _weights(file, file.stat().st_mtime_ns, key)
        except (OSError, ArtifactError, ValueError) as error:
            raise ArtifactError(set_aside(self._folder / DENSE, str(error))) from None

    def __iter__(self) -> Iterator[int]:
        """Yields the steps."""
        return iter(self.hashes)

    def __len__(self) -> int:
        """Returns how many there are."""
        return len(self.hashes)


def early_file(folder: Path, step: int) -> Path:
    """Returns the file of the weights that a dense net had after `step` steps."""
    return folder / f"early-{step}.slim"


def train_dense(task: Task, data: Data, seed: int, folder: Path, watch: Watch) -> DenseNet:
    """Trains the net of `task` from its birth and writes its artifact into `folder`, and its early weights.

    Args:
      task: its `net`, which may be the teacher, is trained by its `dense` recipe.
      data: on the device.
      seed: of everything random.
      folder: where the artifacts go.
      watch: how the training is reported, timed and kept.

    Raises:
      Diverged: a loss is not finite.
    """
    x, dense = example(task, data), METHODS["dense"].make()
    problem = problem_of(task, data, task.dense.steps, seed=seed)

    def keep(step, carry):
        variables = {"params": carry.params, **carry.rest}
        write_artifact(early_file(folder, step), Shipped(task.net, variables), problem.example)

    marks = Marks(early_steps(task.dense.steps), keep)
    watch = watch._replace(marks=marks)
    done = optimize(task, dense, problem, problem.born, (), seed, task.dense, data.train, watch)
    early = {step: weights_hash(read_artifact(early_file(folder, step)).shipped.variables) for step in marks.steps}
    file = folder / ARTIFACT
    shipped = dense.export(done.state, Shipped(done.net, done.variables))
    write_artifact(file, shipped, problem.example)
    scored = quality(outcomes(task, compile_forward(shipped, x).run, data.test))
    checkpoint, size = weights_hash(done.variables), file.stat().st_size
    return DenseNet(seed, done.variables, checkpoint, digits(scored, 8), size, Early(folder, early))


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
    early = Early(folder, {int(step): key for step, key in stored.early.items()})
    return stored, DenseNet(stored.seed, variables, stored.checkpoint, stored.quality, stored.bytes, early), ""


@functools.lru_cache(maxsize=12)
def _weights(file: Path, modified: int, checkpoint: str) -> PyTree:
    """The weights of an artifact; `modified` keeps an earlier file of the same name apart."""
    variables = read_artifact(file).shipped.variables
    if weights_hash(variables) != checkpoint:
        raise ValueError(f"{file} does not hold the weights {checkpoint} that {DENSE} names")
    return variables
