"""Checkpoints: what is damaged is told and passed over for an older one; what is removed is renamed first."""

import gc
import os
import shutil

import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.train.checkpoints import Checkpoints, Damaged, leaves_hash, weights_hash

NOISE = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)  # does not compress
TREE = {"w": jnp.zeros((64, 64)), "step": jnp.int32(0)}


@pytest.fixture
def saved(tmp_path):
    """A folder with checkpoints of steps 5 and 10, in which w is the step times noise."""
    checkpoints = Checkpoints(tmp_path / "checkpoints", every_s=0, keep=2)
    for step in (1, 5, 10):
        checkpoints.save(step, {"w": step * NOISE, "step": jnp.int32(step)}, {"seconds": step / 2})
    checkpoints.close()
    return tmp_path / "checkpoints"


def latest(folder):
    tree, facts = Checkpoints(folder, every_s=0, keep=2).latest(TREE)
    np.testing.assert_array_equal(tree["w"], int(tree["step"]) * NOISE)
    return int(tree["step"]), facts


def test_the_newest_is_restored_with_its_facts(saved):
    assert latest(saved) == (10, {"seconds": 5.0})
    assert sorted(path.name for path in saved.iterdir() if path.name.isdecimal()) == ["10", "5"]


def test_without_any_the_given_state_stays(tmp_path):
    assert Checkpoints(tmp_path / "none", every_s=0, keep=2).latest(TREE) == (TREE, None)


def largest(folder):
    return max((file for file in folder.rglob("*") if file.is_file() and "d" in file.parts), key=os.path.getsize)


def flip(folder):
    file = largest(folder)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def cut(folder):
    os.truncate(largest(folder), 3)


def empty(folder):
    shutil.rmtree(folder)
    folder.mkdir()


def half_removed(folder):
    shutil.rmtree(folder / "leaves")


@pytest.fixture
def collected():
    """Orbax leaves coroutines unawaited where a file is damaged: they go while the test looks the other way."""
    yield
    gc.collect()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize("damage", [flip, cut, empty, half_removed])
def test_a_damaged_one_is_told_and_the_older_one_taken(saved, damage):
    damage(saved / "10")
    with pytest.warns(Damaged, match=r"checkpoints/10: "):
        assert latest(saved) == (5, {"seconds": 2.5})
    assert (saved / "10.bad").exists()
    assert latest(saved) == (5, {"seconds": 2.5})


def test_a_stray_empty_folder_is_no_checkpoint(saved):
    (saved / "999").mkdir()
    with pytest.warns(Damaged, match=r"checkpoints/999: "):
        assert latest(saved)[0] == 10


def test_without_a_good_one_the_run_begins_anew(saved):
    for step in ("5", "10"):
        empty(saved / step)
    with pytest.warns(Damaged):
        assert latest(saved) == (0, None)


def test_a_hash_that_does_not_fit_is_damage(saved, monkeypatch):
    """Whatever the file system did: what was read is not what was written."""
    monkeypatch.setattr("benchmarks.train.checkpoints.leaves_hash", lambda leaves: "0" * 16)
    with pytest.warns(Damaged, match="hash"):
        assert latest(saved) == (0, None)


def test_removal_that_was_killed_leaves_nothing_behind(saved):
    """A process that dies between rename and removal leaves checkpoints.old, which the next one sweeps away."""
    saved.rename(saved.with_name("checkpoints.old"))
    assert latest(saved) == (0, None)
    assert not saved.with_name("checkpoints.old").exists()


def test_delete_renames_before_it_removes(saved, monkeypatch):
    seen = []
    rmtree = shutil.rmtree
    monkeypatch.setattr(shutil, "rmtree", lambda path, **how: seen.append(path.name) or rmtree(path, **how))
    Checkpoints(saved, every_s=0, keep=2).delete()
    assert set(seen) == {"checkpoints.old"}
    assert not saved.exists()


def test_they_are_due_by_time(tmp_path):
    assert Checkpoints(tmp_path, every_s=0, keep=1).due()
    assert not Checkpoints(tmp_path, every_s=1000, keep=1).due()


def test_hashes_tell_every_bit_shape_dtype_and_path():
    base = weights_hash({"params": {"w": np.float32([1, 2])}})
    assert base == "".join(base.split())
    assert len(base) == 16
    others = [
        {"w": np.float32([1, 3])},
        {"w": np.float32([[1, 2]])},
        {"w": np.int32([1, 2])},
        {"v": np.float32([1, 2])},
    ]
    assert len({base, *(weights_hash({"params": other}) for other in others)}) == 5
    assert leaves_hash([np.float32([1, 2]), np.float32([3])]) != leaves_hash([np.float32([1]), np.float32([2, 3])])
