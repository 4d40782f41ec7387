"""What lies in a workdir is taken only for what it is: another net, data, budget, code or machine is made anew."""

import dataclasses
import functools
import json
from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import msgspec
import pytest
from msgspec.structs import replace

from benchmarks.identity import identity, provenance
from benchmarks.identity.stamps import differences
from benchmarks.plan.config import Budget, Config
from benchmarks.sweep import units
from benchmarks.sweep.sweep import sweep
from leaderboard.record import files as record
from methods import METHODS
from tasks import TASKS
from tasks.base import Data

GRID = Config(("tiny",), ("rtn",), {"rtn": ((8.0,),)}, seeds=(0,), tuning=False, budget=Budget(0.5, 0.5))


class Work(NamedTuple):
    """A workdir in which grids of the tiny task are run."""

    run: Callable  # (**changes of the grid) -> the record of its last curve
    change: Callable  # (**changes of the task)


@pytest.fixture
def work(tiny, monkeypatch, tmp_path):
    def change(**changes):
        monkeypatch.setitem(TASKS, "tiny", dataclasses.replace(tiny, **changes))

    def run(workdir=tmp_path, **changes):
        return record.read(sweep(replace(GRID, **changes), workdir, "test").records[-1])

    change()
    return Work(run, change)


def inverted(data):
    return Data(*({**split, "x": 1 - split["x"]} for split in data))


def zero_loss(out, batch):
    return 0.0 * jnp.sum(out, -1)


def dim(arrays, rows, key):
    return {"x": 0.5 * arrays["x"][rows], "y": arrays["y"][rows]}


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ({"loss": zero_loss}, "code.task"),
        ({"batch": dim}, "code.task"),
        ({"load": "other data"}, "data.fingerprint"),
        ({"net": "wider"}, "net.fields.hidden"),
        ({"dense": "longer"}, "dense.steps"),
        ({"version": 2}, "task.version"),
    ],
)
def test_an_edited_task_trains_its_own_dense_net(work, tiny, capsys, field, said):
    first = work.run()
    other = {
        "other data": lambda: inverted(tiny.load()),
        "wider": tiny.net.clone(hidden=16),
        "longer": dataclasses.replace(tiny.dense, steps=14),
    }
    capsys.readouterr()
    work.change(**{name: other[value] if isinstance(value, str) else value for name, value in field.items()})
    second = work.run()
    assert first.dense[0].identity != second.dense[0].identity
    assert (first.dense[0].checkpoint != second.dense[0].checkpoint) == ("version" not in field)
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "dense net seed 0: made anew" in line]
    assert said in line


def test_a_net_of_fewer_examples_is_not_taken_over(work, tmp_path):
    few = work.run(budget=Budget(0.5, 0.5, examples=0.5))
    reused, fresh = work.run(), work.run(workdir=tmp_path / "fresh")
    assert few.division == "open"
    assert few.task.rows["train"] == 24
    assert reused.task.rows["train"] == 48
    assert [net.checkpoint for net in reused.dense] == [net.checkpoint for net in fresh.dense]
    assert few.dense[0].checkpoint != reused.dense[0].checkpoint


def test_nothing_is_made_anew_for_a_net_that_is_the_same(work, tmp_path):
    first = work.run()
    stamp = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.slim")}
    assert work.run() == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.slim")} == stamp


@pytest.mark.parametrize("what", ["device", "libraries", "settings"])
def test_another_machine_or_version_is_another_run(work, monkeypatch, what):
    first = work.run()
    here = identity.environment()
    monkeypatch.setattr(identity, "environment", lambda: {**here, what: "other"})
    second = work.run()
    assert first.dense[0].checkpoint == second.dense[0].checkpoint  # the same bits, but trained again:
    assert first.dense[0].identity != second.dense[0].identity


def test_an_edited_method_is_run_again(work, monkeypatch):
    first = work.run()
    entry = METHODS["rtn"]

    @functools.wraps(entry.make)
    def edited(**options):
        made = entry.make(**options)
        return made._replace(settle=lambda *args: made.settle(*args))

    monkeypatch.setitem(METHODS, "rtn", entry._replace(make=edited))
    second = work.run()
    assert first.dense == second.dense
    assert first.points[0].runs[0].identity != second.points[0].runs[0].identity


def test_each_run_says_where_it_ran(work, monkeypatch):
    real = provenance.provenance

    def at(commit, device):
        def made(command, files):
            return replace(real(command, files), commit=commit, device=device, dirty=False)

        monkeypatch.setattr(units, "provenance", made)

    at("aaaa", "gpu NVIDIA H100 ×1")
    work.run()
    at("bbbb", "cpu AMD EPYC, 2 cores")
    found = work.run(strengths={"rtn": ((4.0,),)})
    assert [point.strength for point in found.points] == [[4.0], [8.0]]
    four, eight = (found.provenance[point.runs[0].provenance] for point in found.points)
    assert (four.commit, four.device) == ("bbbb", "cpu AMD EPYC, 2 cores")
    assert (eight.commit, eight.device) == ("aaaa", "gpu NVIDIA H100 ×1")
    assert found.provenance[found.dense[0].provenance].commit == "aaaa"


def test_fewer_seeds_do_not_shrink_a_record(work):
    work.run(seeds=(0, 1))
    found = work.run(seeds=(1,), strengths={"rtn": ((3.0,),)})
    assert [(point.strength, [run.seed for run in point.runs]) for point in found.points] == [
        ([3.0], [1]),
        ([8.0], [0, 1]),
    ]
    assert [net.seed for net in found.dense] == [0, 1]


def test_strengths_are_recorded_as_asked(work):
    asked = (0.9999996, 1.0, 1 / 3)
    found = work.run(methods=("magnitude",), strengths={"magnitude": tuple((value,) for value in asked)})
    assert [point.strength for point in found.points] == [[value] for value in sorted(asked)]


def test_differences_are_dotted_names():
    assert differences({"a": 1, "b": {"c": 2, "d": 3}}, {"a": 1, "b": {"c": 4}, "e": 5}) == ["b.c", "b.d", "e"]


def run_file(tmp_path):
    (file,) = tmp_path.glob("tiny/rtn-*/8/seed0/run.json")
    return file


@pytest.mark.parametrize("damage", ["half", "empty", "newer", "of another seed", "of another net"])
def test_a_run_file_that_cannot_be_believed_is_set_aside_and_made_again(work, tmp_path, capsys, damage):
    first = work.run()
    file = run_file(tmp_path)
    text = file.read_text()
    values = json.loads(text)
    if damage == "of another net":
        values["run"]["dense"] = "0" * 16
    values["run"]["seed"] = 7 if damage == "of another seed" else 0
    damaged = {"half": text[: len(text) // 2], "empty": "", "newer": json.dumps(values | {"colour": 1})}
    file.write_text(damaged.get(damage, json.dumps(values)))
    capsys.readouterr()
    again = work.run()
    assert again.points[0].runs[0].result.artifact == first.points[0].runs[0].result.artifact
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "set aside as run.json.bad" in line]
    assert str(file) in line
    assert file.with_name("run.json.bad").exists()


@pytest.mark.parametrize("damage", ["dense.json empty", "artifact gone", "artifact flipped"])
def test_a_damaged_dense_net_is_set_aside_and_trained_again(work, tmp_path, capsys, damage):
    first = work.run()
    (file,) = tmp_path.glob("tiny/dense-net-*/seed0/dense.json")
    artifact = file.with_name("artifact.slim")
    if damage == "dense.json empty":
        file.write_text("")
    elif damage == "artifact gone":
        artifact.unlink()
    else:
        content = bytearray(artifact.read_bytes())
        content[-1] ^= 1
        artifact.write_bytes(content)
    capsys.readouterr()
    assert work.run().dense == first.dense
    assert "set aside as dense.json.bad" in capsys.readouterr().err


def test_a_copy_of_a_folder_is_not_counted(work, tmp_path):
    first = work.run()
    copy = run_file(tmp_path).parents[1].with_name("8-old") / "seed0"
    copy.mkdir(parents=True)
    (copy / "run.json").write_bytes(run_file(tmp_path).read_bytes())
    assert work.run() == first


def test_provenance_of_a_real_repository(tmp_path, monkeypatch):
    """Dirty where any source of the clone differs from the commit, in whatever room, tracked or not."""
    import subprocess

    def git(*args):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=b", *args], cwd=tmp_path, check=True)

    rooms = ("methods", "tasks", "benchmarks", "configs", "leaderboard", "tests")
    for room in rooms:
        (tmp_path / room / "deep").mkdir(parents=True)
        (tmp_path / room / "a.py").write_text("x = 1\n")
    (tmp_path / "tasks" / "a.json").write_text("{}\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / ".gitignore").write_text("ignored/\n")
    (tmp_path / "requirements.lock").write_text("jax==0.10\n")
    (tmp_path / "notes.md").write_text("notes\n")
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "first")
    monkeypatch.setattr(provenance, "ROOT", tmp_path / "benchmarks")

    def state():
        provenance._state.cache_clear()
        provenance._tracked.cache_clear()
        return provenance.provenance("test", [tmp_path / "tasks" / "a.py", tmp_path / "mine.py"])

    assert not state().dirty
    assert len(state().commit) == 40
    assert state().outside == ["mine.py"]
    (tmp_path / "notes.md").write_text("other\n")
    assert not state().dirty
    for file in ("leaderboard/results/rtn.json", "workdir/run.json", "ignored/a.py"):  # what commands write
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("{}\n")
    assert not state().dirty
    sources = [f"{room}/{name}" for room in rooms for name in ("a.py", "new.py", "deep/new.py")]
    configs = ["tasks/a.json", "configs/deep/new.json", "pyproject.toml", "requirements.lock", "mine.py"]
    for file in sources + configs:
        before = (tmp_path / file).read_text() if (tmp_path / file).exists() else None
        (tmp_path / file).write_text("y = 2\n")
        assert state().dirty, file
        (tmp_path / file).unlink() if before is None else (tmp_path / file).write_text(before)
    assert not state().dirty
    monkeypatch.setattr(provenance, "ROOT", tmp_path.parent)  # no repository
    assert (state().commit, state().dirty) == ("unknown", True)
    provenance._state.cache_clear()
    provenance._tracked.cache_clear()


def test_what_is_recorded_of_settings_names_what_changes_bits(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=true")
    found = identity.settings()
    assert found["XLA_FLAGS"] == "--xla_cpu_enable_fast_math=true"
    assert found["enable_x64"] == "False"
    assert found["devices"] == "1"
    msgspec.json.encode(found)
