"""The configs: what they hold, and tasks run in the board's smoke mode.

Nets of more than LARGE weights take minutes each: they run with SLIMBENCH_LARGE=1 in the environment.
"""

import math
import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.artifact.file import read_artifact
from benchmarks.measure.programs import PROGRAMS
from benchmarks.plan.config import Budget, strengths
from benchmarks.plan.load import load, with_value
from benchmarks.sweep.sweep import sweep
from configs.board import EMBEDDED, SMOKE_STEPS
from leaderboard.command import UsageError
from leaderboard.record import files as record
from leaderboard.record.layout import ARTIFACT
from methods import METHODS
from methods.paths import select
from tasks import TASKS
from tasks.data import DATASETS
from tasks.data.store.dataset import data_dir, missing
from tests.contracts.test_tasks import EXPECTED
from tests.tasks import small

LARGE = math.inf if os.environ.get("SLIMBENCH_LARGE") else 5_000_000
CONFIGS = sorted(path.stem for path in Path("configs").glob("[!_]*.py"))
SMALL = {"cifar100": small.cifars, "speech_commands": small.commands, "wikitext2": small.wikitexts}
"""Where one of these is not in the data directory, a few files in its format are laid out instead."""


def smoking():
    """A task for each class of nets, and one for each dataset that these leave out: the others compile for minutes."""
    names = [name for name in TASKS if EXPECTED[name].parameters <= LARGE]
    tried = list({type(TASKS[name].net): name for name in reversed(names)}.values())
    covered = {EXPECTED[name].dataset for name in tried}
    others = {EXPECTED[name].dataset: name for name in reversed(names) if EXPECTED[name].dataset not in covered}
    return sorted([*tried, *others.values()])


@pytest.mark.parametrize("name", CONFIGS)
def test_config_says_what_it_is(name):
    load(f"configs/{name}.py")
    text = Path(f"configs/{name}.py").read_text()
    assert all(word in text for word in ("Paper:", "Command:", "Expected:", "Time:"))


def test_board_runs_every_method_with_full_budgets():
    config = load("configs/board.py:mnist_lenet5,pydoc")
    assert config.tasks == ("mnist_lenet5", "pydoc")
    assert config.methods == tuple(METHODS)
    assert (config.seeds, config.tuning, config.budget) == ((), True, Budget())
    assert load("configs/board.py").tasks == EMBEDDED
    assert {EXPECTED[name].dataset for name in EMBEDDED} == {None}


def test_strengths_are_the_config_s_then_the_task_s_then_the_method_s():
    config = load("configs/board.py:cifar10_resnet8,digits")
    assert strengths(config, "cifar10_resnet8", "lsq") == ((4,), (3,), (2,))
    assert strengths(config, "digits", "lsq") == METHODS["lsq"].about.sweep
    assert strengths(load("configs/quickstart.py"), "digits", "lsq") == ((8,), (4,), (2,))


@pytest.mark.parametrize("name", sorted(TASKS))
def test_sweeps_of_a_task_are_of_methods(name):
    assert TASKS[name].sweeps.keys() <= METHODS.keys()


@pytest.mark.parametrize("arg", ["digitz", "digits,digitz", "digits,smok", "all"])
def test_an_unknown_arg_is_one_line(arg):
    with pytest.raises(
        UsageError, match=rf"{arg.split(',')[-1]!r} is neither a task nor 'smoke'; tasks are digits,"
    ) as e:
        load(f"configs/board.py:{arg}")
    assert "\n" not in str(e.value)


def test_smoke_of_several_tasks_takes_a_few_steps_of_each():
    config = load("configs/board.py:digits,pydoc,smoke")
    assert config.tasks == ("digits", "pydoc")
    assert config.budget.dense * 1000 == pytest.approx(SMOKE_STEPS)  # pydoc has the most steps
    assert load("configs/board.py:smoke").tasks == EMBEDDED


def nonzero_share(workdir):
    """Of all kernels and embeddings in the artifact of the pruned net."""
    (file,) = (path for path in workdir.rglob(ARTIFACT) if "magnitude" in str(path.relative_to(workdir)))
    weights = select(read_artifact(file).shipped.variables["params"]).values()
    return sum(map(np.count_nonzero, weights)) / sum(weight.size for weight in weights)


@pytest.fixture
def forgetful():
    yield
    PROGRAMS.clear()


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("name", smoking())
def test_a_task_of_each_net_and_dataset_runs_in_smoke_mode(name, tmp_path, monkeypatch):
    config = load(f"configs/board.py:{name},smoke")
    dataset = EXPECTED[name].dataset
    if dataset and missing(DATASETS[dataset], data_dir()):
        if dataset not in SMALL:
            pytest.skip(f"{dataset} is not in the data directory")
        monkeypatch.setenv("SLIMBENCH_DATA", str(tmp_path / "data"))
        SMALL[dataset](tmp_path / "data", monkeypatch)
        config = with_value(config, "budget.examples=1.0")
    dense, rtn, magnitude = (record.read(path) for path in sweep(config, tmp_path, "test").records)
    assert dense.division == rtn.division == magnitude.division == "open"
    assert dense.dense == rtn.dense == magnitude.dense
    (dense,), (rtn,), (magnitude,) = (r.points[0].runs for r in (dense, rtn, magnitude))
    if EXPECTED[name].parameters > 1000:  # of fewer weights, scales and header outweigh them
        assert rtn.result.bytes < dense.result.bytes
    assert nonzero_share(tmp_path) == pytest.approx(0.5, abs=1e-4)
    assert magnitude.result.cost.steps == SMOKE_STEPS
