"""The dense net of a task and seed: trained once, named by the hash of its weights, where every method starts."""

import dataclasses
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jax
import orbax.checkpoint as ocp

from benchmarks import artifact
from benchmarks.checkpoints import Checkpoints, weights_hash
from benchmarks.clock import Clock
from benchmarks.config import Loop
from benchmarks.evaluate import batches, outcomes, quality
from benchmarks.loop import train
from benchmarks.measure import compile_forward
from benchmarks.step import Program, start
from leaderboard.record.atomic import write_atomically
from leaderboard.record.canonical import digits
from methods.base import PyTree, State, fresh
from tasks.base import Data


@dataclasses.dataclass(frozen=True)
class Dense:
    seed: int
    variables: PyTree
    checkpoint: str  # hash of the weights
    quality: float  # on test, last step
    bytes: int  # of its float32 artifact


def obtain(program: Program, data: Data, seed: int, folder: Path, loop: Loop, report: Callable) -> Dense:
    """The dense net in `folder`, trained first if it is not there. Raises ValueError if it is damaged."""
    folder = Path(folder).absolute()
    example = next(batches(program.task, data.calibration))[0]["x"][:1]
    untrained = fresh(program.net, jax.random.key(seed), example)
    if (folder / "dense.json").exists():
        return _load(folder, untrained, seed)
    checkpoints = Checkpoints(folder / "checkpoints", loop.checkpoint_every, loop.keep)
    carry = train(
        program,
        checkpoints.latest(start(program, untrained, State())),
        data.train,
        seed,
        log_every=loop.log_every,
        clock=Clock(),
        report=report,
        save=checkpoints.save,
    )
    variables = {"params": carry.params, **carry.rest}
    artifact.write(folder / "artifact.safetensors", program.net, variables, example)
    with ocp.StandardCheckpointer() as saver:
        saver.save(folder / "weights", variables, force=True)
    facts = {
        "bytes": (folder / "artifact.safetensors").stat().st_size,
        "checkpoint": weights_hash(variables),
        "quality": _quality(program, variables, data),
    }
    write_atomically(folder / "dense.json", json.dumps(facts))
    checkpoints.close(delete=True)
    return Dense(seed, variables, **facts)


def _load(folder, like, seed) -> Dense:
    facts = json.loads((folder / "dense.json").read_text())
    with ocp.StandardCheckpointer() as saved:
        variables = saved.restore(folder / "weights", like)
    if weights_hash(variables) != facts["checkpoint"]:
        raise ValueError(f"{folder}: weights do not have the hash that dense.json names; delete the folder")
    return Dense(seed, variables, **facts)


def _quality(program, variables, data) -> float:
    batch = next(batches(program.task, data.calibration))[0]["x"]
    compiled, _ = compile_forward(program.net, variables, batch)
    return digits(quality(outcomes(program.task, partial(compiled, variables), data.test)), 8)
