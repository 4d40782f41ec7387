"""Atomic writes: several writers at once, links, devices, modes, failures."""

import os
import stat
import subprocess
import sys

import pytest

from leaderboard.record.atomic import write_atomically

WRITER = """
import sys
from leaderboard.record.atomic import write_atomically
for _ in range(60):
    write_atomically(sys.argv[1], sys.argv[2] * 200_000)
"""


def test_three_writers_never_tear_a_read(tmp_path):
    """Each writes its own letter; whoever reads sees one letter, all of it, at any time."""
    path = tmp_path / "deep" / "a.txt"
    write_atomically(path, "a" * 200_000)
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), letter]) for letter in "abc"]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        text = path.read_text()
        seen.add((len(text), text[0], text == text[0] * 200_000))
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert seen <= {(200_000, letter, True) for letter in "abc"}
    assert [file.name for file in path.parent.iterdir()] == ["a.txt"]


def test_text_is_utf_8_and_bytes_are_as_they_are(tmp_path):
    write_atomically(tmp_path / "a", "é")
    write_atomically(str(tmp_path / "b"), b"\xff")
    assert ((tmp_path / "a").read_bytes(), (tmp_path / "b").read_bytes()) == (b"\xc3\xa9", b"\xff")


def test_the_mode_is_that_of_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "a", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_a_link_stays_and_its_target_is_written(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there/a")
    for text in ("new", "newer"):
        write_atomically(tmp_path / "link", text)
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "there" / "a").read_text() == text


def test_a_device_stays_one(tmp_path):
    (tmp_path / "null").symlink_to("/dev/null")
    for path in ("/dev/null", tmp_path / "null"):
        write_atomically(path, "x")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert os.readlink(tmp_path / "null") == "/dev/null"


def test_a_full_device_is_named():
    with pytest.raises(OSError, match="No space left") as caught:
        write_atomically("/dev/full", "x")
    assert caught.value.filename == "/dev/full"
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_the_terminal_is_written_in_place():
    code = "from leaderboard.record.atomic import write_atomically; write_atomically('/dev/stdout', 'hello')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("hello", "", 0)


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    write_atomically(tmp_path / "a", "old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        write_atomically(tmp_path / "a", "new")
    assert caught.value.filename == str(tmp_path / "a")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a", "old")]


def test_a_folder_is_not_written(tmp_path):
    with pytest.raises(IsADirectoryError):
        write_atomically(tmp_path, "x")
