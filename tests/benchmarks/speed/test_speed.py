"""What benchmarks.speed prints; how fast anything is depends on the machine and is no test."""

import json
import sys

import numpy as np
import pytest

from benchmarks.speed import __main__ as speed
from benchmarks.speed import board as scale
from leaderboard.record import files


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(speed, "STEPS", 4)
    monkeypatch.setattr(speed, "CHUNK", 2)
    monkeypatch.setattr(speed, "LARGER", {"context": 4, "layers": 1, "width": 4, "heads": 1})
    monkeypatch.setattr(speed, "WINDOWS", 2)
    monkeypatch.setattr(speed, "SIDES", {"dense": (), "lsq": (4.0,), "magnitude": (0.8,)})
    x, y = np.random.default_rng(0).normal(size=(16, 4)).astype(np.float32), np.zeros(16, np.int32)
    task = speed._task("tiny", speed.MLP(4, (3,), 2), x, y, 8)
    monkeypatch.setattr(speed, "tasks", lambda: (task,))


def test_ratios_of_every_method_and_the_exit_code(short, monkeypatch, capsys):
    monkeypatch.setattr(speed, "BOUNDS", {"lsq": 9999, "magnitude": 9999})
    assert speed.main([]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("tiny")]
    assert [line[:2] for line in lines[:2]] == [["tiny", "lsq"], ["tiny", "magnitude"]]
    for _, _, step, _, _, memory in lines[:2]:
        assert float(step) > 0
        assert float(memory) >= 1  # a method's state comes on top
    assert len(lines) == 3
    monkeypatch.setattr(speed, "BOUNDS", {"lsq": 9999, "magnitude": 0.0})
    assert speed.main([]) == 1


def test_without_the_other_framework_it_says_so(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert speed.main(["--versus=torch"]) == 2
    assert "pip install torch" in capsys.readouterr().err


def test_the_board_of_few_made_up_records(monkeypatch, capsys):
    monkeypatch.setattr(scale, "RECORDS", 40)
    monkeypatch.setattr(scale, "TESTS", (50, -20))
    monkeypatch.setattr(scale, "GIGABYTES", 64)  # the peak is that of the process: of the tests before this one, too
    assert speed.main(["--leaderboard"]) == 0
    assert capsys.readouterr().out.startswith("40 records: ")
    monkeypatch.setattr(scale, "GIGABYTES", 0.001)
    assert speed.main(["--leaderboard"]) == 1


def test_made_up_records_are_records(monkeypatch, tmp_path):
    monkeypatch.setattr(scale, "TESTS", (50, -20))
    for name, made in scale.made_up(6):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(made))
    outcomes = [one.points[0].runs[0].result.outcomes for one in files.read_all(tmp_path)[0]]
    assert [len(values) for values in outcomes] == [50] * 3 + [20] * 3
