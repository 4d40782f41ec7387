"""Every config, run in its smoke mode."""

from pathlib import Path

import pytest

from benchmarks.config import load
from benchmarks.sweep import sweep
from configs.base import SMOKE_STEPS
from leaderboard import record
from methods import METHODS
from tasks import TASKS
from tasks.data import DATASETS
from tasks.data.store import data_dir, missing
from tests.tasks.test_tasks import EXPECTED

CONFIGS = sorted(path.stem for path in Path("configs").glob("*.py") if path.stem not in ("__init__", "base"))
SMOKING = [name for name in CONFIGS if name != "quickstart"]
SLOW = {
    "cifar10_resnet20": "its step compiles for half a minute",
    "cifar10_resnet56": "its step compiles for a minute",
    "cifar100_pairs": "its teacher's step compiles for a minute",
    "cifar10_vgg16": "a step takes seconds on a CPU",
    "shakespeare_gpt": "a step takes half a minute on a CPU",
    "wikitext2_gpt": "a step takes seconds on a CPU",
}


def test_every_task_has_a_config():
    run = {task for name in CONFIGS for task in load(f"configs/{name}.py").tasks}
    assert run == set(TASKS)


@pytest.mark.parametrize("name", CONFIGS)
def test_config_says_what_it_is(name):
    config = load(f"configs/{name}.py")
    assert set(config.methods) == set(METHODS)
    text = Path(f"configs/{name}.py").read_text()
    assert all(word in text for word in ("Paper:", "Command:", "Expected:"))


@pytest.mark.parametrize("name", SMOKING)
def test_config_runs_in_smoke_mode(name, tmp_path, request):
    config = load(f"configs/{name}.py:smoke")
    dataset = EXPECTED[config.tasks[0]].dataset
    if dataset and missing(DATASETS[dataset], data_dir()):
        pytest.skip(f"{dataset} is not in the data directory")
    if name in SLOW and not request.config.getoption("--slow"):
        pytest.skip(f"without --slow: {SLOW[name]}")
    dense, rtn, magnitude = (record.read(path) for path in sweep(config, tmp_path, "test"))
    assert dense.division == rtn.division == magnitude.division == "open"
    assert dense.dense == rtn.dense == magnitude.dense
    (dense,), (rtn,), (magnitude,) = (r.points[0].runs for r in (dense, rtn, magnitude))
    assert rtn.result.bytes < dense.result.bytes
    assert magnitude.result.density == pytest.approx(0.5, abs=0.01)
    assert magnitude.result.cost.steps == SMOKE_STEPS
