"""Kills at random moments, and several writers of one workdir: the records are those of one unbroken run.

A few of each here; with SLIMBENCH_KILLS=100 and SLIMBENCH_RACES=20 in the environment, so many.
"""

import itertools
import os
import random
import signal
import time

import pytest

from tests.benchmarks.sweep.grids import CONFIG, finish, records, start, warm

KILLS, RACES = (int(os.environ.get(name, few)) for name, few in (("SLIMBENCH_KILLS", 1), ("SLIMBENCH_RACES", 1)))


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """(config file, workdir of an unbroken run, seconds that one takes with its compiled programs)."""
    folder = tmp_path_factory.mktemp("unbroken")
    config = folder / "config.py"
    config.write_text(CONFIG)
    finish(folder / "work", config)
    begun = time.monotonic()
    finish(warm(folder / "again", folder / "work"), config)
    return config, folder / "work", time.monotonic() - begun


def leftovers(work):
    """What an interrupted run may leave, and a finished one may not."""
    return [path for pattern in ("*.tmp", "checkpoints*", "*.bad") for path in work.rglob(pattern)]


def test_random_kills_leave_the_same_records(unbroken, tmp_path):
    config, whole, seconds = unbroken
    rng, done, tries = random.Random(0), 0, itertools.count()
    while done < KILLS:  # a kill may come too late, after the run's end: it does not count
        work = warm(tmp_path / f"work{next(tries)}", whole)
        for _ in range(rng.randint(1, 3)):
            process = start(work, config)
            time.sleep(rng.uniform(0.2, 1.0) * seconds)
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
                done += 1
            process.communicate()
        finish(work, config)
        assert records(work) == records(whole)
        assert not leftovers(work)


@pytest.mark.parametrize("seed", range(RACES))
def test_two_writers_share_the_work_and_leave_the_same_records(unbroken, tmp_path, seed):
    config, whole, seconds = unbroken
    rng, work = random.Random(seed), warm(tmp_path / "work", whole)
    first = start(work, config)
    time.sleep(rng.uniform(0, 0.5) * seconds)
    second = start(work, config)
    for process in (first, second):
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
    assert records(work) == records(whole)
    assert not leftovers(work)
