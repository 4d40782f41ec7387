"""The registry of tasks is what the tasks say, and its command writes it."""

import dataclasses
import json

import pytest
from msgspec.structs import replace

from benchmarks import tasks as command
from benchmarks.tasks import drift, entries, of_data, without_data
from leaderboard.record import registry
from leaderboard.record.registry import Clusters
from tasks import TASKS
from tasks.data.store.dataset import DataError

DIGITS = TASKS["digits"]


def absent():
    raise DataError("digits.npz: is not there")


def test_the_committed_registry_is_what_the_tasks_say():
    """What needs no data: of every task. Whoever changes a task writes it anew."""
    known = registry.read()
    assert drift(known, {name: without_data(task, known.get(name)) for name, task in TASKS.items()}) == []
    assert registry.TASKS.read_text("utf-8") == registry.text(known)


@pytest.mark.parametrize("name", ["digits", "spoken_digits"])
def test_it_is_what_the_data_say(name):
    """Of data that come with the suite, on every machine and Python."""
    assert of_data(TASKS[name]) == registry.read()[name]


def test_an_entry_by_hand():
    """1,797 digits: 10 classes, so that a guess is right in 1 of 10; each digit by itself, so no clusters."""
    known = registry.read()["digits"]
    assert sum(known.rows[split] for split in ("train", "valid", "test")) == 1797
    assert (known.metric, known.outcome, known.higher_is_better) == ("accuracy", "correct", True)
    assert (known.clusters, registry.read()["spoken_digits"].clusters.count) == (None, 20)


def test_what_a_record_holds_is_what_the_registry_says():
    """Of the records of the board, the digest of the dense nets too."""
    for name in ("digits", "pydoc", "spoken_digits"):
        (path,) = (registry.TASKS.parent / "results" / name).glob("dense-*.json")
        assert path.stem == f"dense-{registry.read()[name].dense}"
        values = json.loads(path.read_text("utf-8"))["task"]
        assert values["fingerprint"] == registry.read()[name].fingerprint


@pytest.fixture
def alone(monkeypatch):
    """Digits are the only task."""
    monkeypatch.setattr(command, "TASKS", {"digits": DIGITS})


def test_tasks_without_data_keep_what_is_known_of_them(alone, monkeypatch):
    known = registry.read()["digits"]
    said = []
    monkeypatch.setattr(command, "TASKS", {"digits": dataclasses.replace(DIGITS, load=absent)})
    assert entries({"digits": known}, said.append) == {"digits": known}
    assert said == ["digits: its data cannot be had, what the registry says of them stays; digits.npz: is not there"]
    new = entries({}, said.append)["digits"]
    assert (new.fingerprint, new.rows, new.clusters, new.reference) == (None, None, None, known.reference)
    assert replace(new, fingerprint=known.fingerprint, rows=known.rows, controls=known.controls) == known
    assert said[1].startswith("digits: its data cannot be had, the registry has none; ")
    assert entries({"digits": replace(known, version=1)}, said.append)["digits"].fingerprint is None


def test_what_differs_is_named():
    known = registry.read()["digits"]
    mend = "mend it: python -m benchmarks.tasks --write"
    other = replace(known, margin=0.5, clusters=Clusters(count=2, sha256="ab"))
    assert drift({"digits": other}, {"digits": known}) == [
        f"digits: `margin` differs from the registry; {mend}",
        f"digits: `clusters` differs from the registry; {mend}",
    ]
    assert drift({"old": known}, {"new": known}) == [
        f"new: not in the registry; {mend}",
        f"old: no such task; {mend}",
    ]


def test_the_command_says_what_differs_and_writes_it(alone, tmp_path, capsys):
    path = tmp_path / "tasks.json"
    argv = [f"--registry={path}"]
    assert command.main(argv) == 1
    assert capsys.readouterr().err == "digits: not in the registry; mend it: python -m benchmarks.tasks --write\n"
    assert not path.exists()
    assert command.main([*argv, "--write"]) == 0
    assert capsys.readouterr() == (f"1 tasks: {path}\n", "")
    assert registry.read(path) == {"digits": registry.read()["digits"]}
    assert command.main(argv) == 0
    assert capsys.readouterr() == ("", "")
    path.write_text("{")
    assert command.main(argv) == 2
    assert capsys.readouterr().err.startswith(f"error: {path}: not JSON: ")
