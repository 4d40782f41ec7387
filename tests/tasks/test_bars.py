"""The dense nets of the committed records reach what their tasks ask for."""

from pathlib import Path

import pytest

from leaderboard.record import files
from tasks import TASKS
from tasks.data.fsdd import SPEAKERS

FOLDERS = ("protocol1", "results")  # of a task in both, the newer records count
DENSE = {path.parent.name: path for at in FOLDERS for path in sorted(Path("leaderboard", at).glob("*/dense-*.json"))}


def qualities(name):
    return [run.result.quality for run in files.read(DENSE[name]).points[0].runs]


@pytest.mark.parametrize("name", DENSE)
def test_every_seed_reaches_the_bar(name):
    task = TASKS[name]
    worst = min(qualities(name)) if task.metric.higher_is_better else max(qualities(name))
    assert worst >= task.reach if task.metric.higher_is_better else worst <= task.reach


def test_unknown_voices_reach_65_percent_on_average():
    of_voices = [qualities(f"fsdd_speaker_{voice}") for voice in SPEAKERS]
    assert sum(map(sum, of_voices)) / sum(map(len, of_voices)) >= 0.65
