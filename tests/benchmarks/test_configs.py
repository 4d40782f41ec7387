"""Every config, run in its smoke mode."""

from pathlib import Path

import pytest

from benchmarks.config import load, with_value
from benchmarks.memory import forget_programs
from benchmarks.sweep import sweep
from configs.base import SMOKE_STEPS
from leaderboard.record import files
from methods import METHODS
from tasks import TASKS
from tasks.data import DATASETS
from tasks.data.store import data_dir, missing
from tests.tasks import small
from tests.tasks.test_tasks import EXPECTED

CONFIGS = sorted(path.stem for path in Path("configs").glob("*.py") if path.stem not in ("__init__", "base"))
SMOKING = [name for name in CONFIGS if name != "quickstart"]
SMALL = {"cifar100": small.cifars, "speech_commands": small.commands, "wikitext2": small.wikitexts}
"""Where one of these is not in the data directory, a few files in its format are laid out instead."""


def test_every_task_has_a_config():
    run = {task for name in CONFIGS for task in load(f"configs/{name}.py").tasks}
    assert run == set(TASKS)


@pytest.mark.parametrize("name", CONFIGS)
def test_config_says_what_it_is(name):
    config = load(f"configs/{name}.py")
    assert set(config.methods) == set(METHODS)
    text = Path(f"configs/{name}.py").read_text()
    assert all(word in text for word in ("Paper:", "Command:", "Expected:"))


@pytest.fixture
def forgetful():
    yield
    forget_programs()


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("name", SMOKING)
def test_config_runs_in_smoke_mode(name, tmp_path, monkeypatch):
    config = load(f"configs/{name}.py:smoke")
    dataset = EXPECTED[config.tasks[0]].dataset
    if dataset and missing(DATASETS[dataset], data_dir()):
        if dataset not in SMALL:
            pytest.skip(f"{dataset} is not in the data directory")
        monkeypatch.setenv("SLIMBENCH_DATA", str(tmp_path / "data"))
        SMALL[dataset](tmp_path / "data", monkeypatch)
        config = with_value(config, "budget.examples=1.0")
    dense, rtn, magnitude = (files.read(path) for path in sweep(config, tmp_path, "test"))
    assert dense.division == rtn.division == magnitude.division == "open"
    assert dense.dense == rtn.dense == magnitude.dense
    (dense,), (rtn,), (magnitude,) = (r.points[0].runs for r in (dense, rtn, magnitude))
    assert rtn.result.bytes < dense.result.bytes
    assert magnitude.result.density == pytest.approx(0.5, abs=0.01)
    assert magnitude.result.cost.steps == SMOKE_STEPS
