"""A loss that is not finite ends in a recorded failure, never in a number."""

import dataclasses

import jax.numpy as jnp
import pytest

from benchmarks.config import Config
from benchmarks.sweep import sweep
from leaderboard.board.board import boards
from leaderboard.record import files
from leaderboard.render import terminal
from tasks import TASKS


@pytest.fixture
def diverging(tiny, monkeypatch):
    """The tiny task with a recovery whose second step is no number."""
    recipe = dataclasses.replace(tiny.recovery, learning_rate=1e38, optimizer="sgd")
    monkeypatch.setitem(TASKS, "tiny", dataclasses.replace(tiny, recovery=recipe, loss=steep))


def steep(out, batch):
    return jnp.sum(out**2, -1)


def test_a_run_that_diverges_is_recorded_as_failed(diverging, tmp_path, capsys):
    config = Config(tasks=("tiny",), methods=("dense", "magnitude"), strengths={"magnitude": (0.5,)}, seeds=(0,))
    dense, magnitude = (files.read(path) for path in sweep(config, tmp_path, "test"))
    (run,) = magnitude.points[0].runs
    assert run.result is None
    assert run.failure.startswith("loss is ")
    assert run.failure.endswith("at step 2")
    assert "FAILED" in capsys.readouterr().err
    assert dense.points[0].runs[0].failure is None
    assert "failed" in terminal.text(boards([magnitude]))
