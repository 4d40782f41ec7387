"""What the README shows works when pasted."""

import importlib
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from benchmarks.config import Loop
from benchmarks.point import Setting, run

from benchmarks.artifact.file import read_artifact
from methods.paths import flatten

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


@pytest.fixture(scope="module")
def example():
    """The method of the example and its source."""
    (source,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names = {}
    exec(compile(source, "README.md", "exec"), names)
    return names["soft"](), source


@pytest.mark.parametrize("command", re.findall(r"^    python -m leaderboard\.(show|export)(.*)$", README, re.MULTILINE))
def test_the_commands_of_the_board_run(command, tmp_path, monkeypatch, capsys):
    name, flags = command
    (tmp_path / "leaderboard").symlink_to(Path(__file__).parents[1] / "leaderboard")
    monkeypatch.chdir(tmp_path)
    assert importlib.import_module(f"leaderboard.{name}").main(shlex.split(flags, comments=True)) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "digits" in (out or (tmp_path / "board.csv").read_text())


def test_readme_is_short():
    assert len(README.splitlines()) <= 150


def test_the_example_is_short_and_has_a_sweep(example):
    method, source = example
    assert len(source.splitlines()) <= 40
    assert len(method.strengths) >= 5


def test_the_example_runs_and_shrinks_weights_by_its_threshold(example, tiny, tiny_data, tiny_dense, tmp_path):
    setting = Setting(tiny, tiny_data, Loop())
    result = run(setting, example[0], tiny_dense[0], 0.05, tmp_path, lambda step, losses: None)
    assert 0 < result.density < 1
    before = flatten(tiny_dense[0].variables["params"])
    after = flatten(read_artifact(tmp_path / "artifact.safetensors").shipped.variables["params"])
    for path, weight in after.items():
        expected = np.asarray(before[path])
        if path.endswith("kernel"):
            expected = np.sign(expected) * np.maximum(np.abs(expected) - np.float32(0.05), 0)
        np.testing.assert_allclose(weight, expected, atol=1e-7)
