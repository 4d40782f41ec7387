"""What the README shows works when pasted."""

import importlib
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from benchmarks.artifact.file import read_artifact, write_artifact
from benchmarks.measure.clock import Clock
from benchmarks.plan.config import Loop
from benchmarks.train.optimize import Watch, optimize, problem_of
from methods.base import Shipped
from methods.paths import flatten

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
(EXAMPLE,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("command", re.findall(r"^    python -m leaderboard\.(show|export)(.*)$", README, re.MULTILINE))
def test_the_commands_of_the_board_run(command, tmp_path, monkeypatch, capsys):
    name, flags = command
    (tmp_path / "leaderboard").symlink_to(ROOT / "leaderboard")
    monkeypatch.chdir(tmp_path)
    assert importlib.import_module(f"leaderboard.{name}").main(shlex.split(flags, comments=True)) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "digits" in (out or (tmp_path / "board.csv").read_text())


def test_readme_is_short():
    """But for the tables, which grow with methods and tasks."""
    own = re.sub(r"<!-- board:begin -->.*<!-- board:end -->", "", README, flags=re.DOTALL)
    assert len([line for line in own.splitlines() if not line.startswith("|")]) <= 125


def test_the_example_is_short_and_that_of_the_page_on_methods():
    assert len(EXAMPLE.splitlines()) <= 40
    assert f"```python\n{EXAMPLE}```" in (ROOT / "docs" / "add-a-method.md").read_text("utf-8")


def test_the_example_ships_weights_shrunk_by_its_threshold(tiny, tiny_data, tiny_dense, tmp_path):
    names = {}
    exec(compile(EXAMPLE, "README.md", "exec"), names)
    make, about = names["SOFT"]
    method, problem, start = make(), problem_of(tiny, tiny_data, 0), tiny_dense[0].variables
    assert about.changes == {"weights"}
    given = (tiny, method, problem, start, (0.05,), 0, None, tiny_data.train)
    net, variables, state = optimize(*given, Watch(Loop(), Clock()))
    write_artifact(tmp_path / "a", method.export(state, Shipped(net, variables)), problem.example)
    before, after = (flatten(v["params"]) for v in (start, read_artifact(tmp_path / "a").shipped.variables))
    for path, weight in after.items():
        expected = np.asarray(before[path])
        if path.endswith("kernel"):
            expected = np.sign(expected) * np.maximum(np.abs(expected) - np.float32(0.05), 0)
            assert 0 < np.count_nonzero(expected) < expected.size
        np.testing.assert_allclose(weight, expected, atol=1e-7)
