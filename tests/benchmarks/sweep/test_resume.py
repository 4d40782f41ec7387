"""A run that is killed or stopped and started again ends with the records of one that was not, but for timings."""

import json
import os
import signal

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.benchmarks.sweep.grids import CONFIG, finish, kill_when, records, start, wait_for, warm

STEPS = [*range(5, 95, 5)]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unbroken")
    (folder / "config.py").write_text(CONFIG)
    return folder, finish(folder / "work", folder / "config.py")


def stored(workdir, method):
    (file,) = workdir.glob(f"digits/{method}-*/*/seed0/run.json")
    return json.loads(file.read_text())


def test_killed_twice_equals_unbroken(unbroken, tmp_path):
    folder, _ = unbroken
    work, config = warm(tmp_path / "work", folder / "work"), folder / "config.py"
    kill_when(work, config, "digits/dense-net-*/seed0/checkpoints/40")
    kill_when(work, config, "digits/magnitude-*/*/seed0/checkpoints/40")
    _, err = finish(work, config)
    assert records(work) == records(folder / "work")
    assert "magnitude 0.5 seed 0: goes on at step" in err
    assert not list(work.rglob("*.tmp"))
    assert not list(work.rglob("checkpoints*"))
    cost, whole = (stored(one, "magnitude")["run"]["result"]["cost"] for one in (work, folder / "work"))
    assert cost["starts"] == 2
    assert whole["starts"] == 1
    assert cost["steps"] == whole["steps"] == 90
    for net in ("dense-net-*/seed0", "magnitude-*/0.5/seed0"):
        (events,) = work.glob(f"digits/{net}")
        assert [event.step for event in EventAccumulator(str(events)).Reload().Scalars("loss")] == STEPS


def test_a_second_run_only_prints(unbroken):
    folder, (first, _) = unbroken
    stamps = {path: path.stat().st_mtime_ns for path in (folder / "work" / "digits").rglob("*") if path.is_file()}
    second, err = finish(folder / "work", folder / "config.py")
    assert second == first
    assert "step" not in err
    locks = {path for path in stamps if path.name == "lock"}
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items() if path not in locks)


TUNED = CONFIG.replace("tuning=False", "tuning=True").replace("recovery=0.1", "recovery=0.05")


def test_killed_among_trials_equals_unbroken(unbroken, tmp_path):
    """Killed in the second trial, then as the last is done: finished ones stay, and the choice is the same."""
    folder, _ = unbroken
    config = tmp_path / "config.py"
    config.write_text(TUNED)
    whole, work = warm(tmp_path / "whole", folder / "work"), warm(tmp_path / "work", folder / "work")
    finish(whole, config)
    kill_when(work, config, "digits/magnitude-tuning-*/rate=0.5/checkpoints/20")
    kill_when(work, config, "digits/magnitude-tuning-*/rate=4/trial.json")
    _, err = finish(work, config)
    assert "trial" not in err
    assert untimed(work) == untimed(whole)
    assert records(work)["magnitude"]["tuning"]["settings"]["rate"] in (0.25, 0.5, 1.0, 2.0, 4.0)
    assert not list(work.rglob("checkpoints*"))


def untimed(work):
    return records(work), {
        file.parent.name: json.loads(file.read_text())["loss"] for file in work.glob("digits/*-tuning-*/*/trial.json")
    }


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGUSR1, 138)])
def test_a_signal_saves_and_stops_with_a_word(unbroken, tmp_path, number, code):
    folder, _ = unbroken
    text = CONFIG.replace("checkpoint_s=0.0", "checkpoint_s=1000.0")
    (tmp_path / "config.py").write_text(text)
    work = warm(tmp_path / "work", folder / "work")
    process = start(work, tmp_path / "config.py")
    wait_for(process, work, "digits/magnitude-*/0.5/seed0/events*")
    os.kill(process.pid, number)
    _, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    assert err.splitlines()[-1].startswith("stopped ")
    assert err.splitlines()[-1].endswith("; the same command goes on from there")
    finish(work, tmp_path / "config.py")
    assert records(work) == records(folder / "work")


def test_other_chunks_do_not_train_past_the_recipe(unbroken, tmp_path):
    folder, _ = unbroken
    work, config = warm(tmp_path / "work", folder / "work"), folder / "config.py"
    kill_when(work, config, "digits/dense-net-*/seed0/checkpoints/25")
    finish(work, config, "--set=loop.log_every=14")
    assert records(work) == records(folder / "work")
    (events,) = work.glob("digits/dense-net-*/seed0")
    steps = [event.step for event in EventAccumulator(str(events)).Reload().Scalars("loss")]
    assert steps[-1] == 90
    assert np.all(np.diff(steps) > 0)
