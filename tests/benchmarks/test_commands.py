"""The commands as programs of their own: terminals, pipes, platforms, limits of the system."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import benchmarks.run
from leaderboard.record.layout import PROTOCOL1

pytestmark = pytest.mark.slow
ROOT = Path(benchmarks.run.__file__).parents[1]
ASCII = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
SMOKE = ("benchmarks.run", "--config=configs/board.py:digits,smoke", "--method=rtn")


def shell(*command, after="", cwd=ROOT, **env):
    """Runs a module with its arguments, and what the shell is to do `after` it."""
    line = shlex.join([sys.executable, "-m", *command])
    env = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"} | env
    return subprocess.run(["bash", "-c", f"{line} {after}"], cwd=cwd, env=env, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["benchmarks.run", "--list"], "magnitude_rtn"),
        (["benchmarks.run", "--help"], "--workdir=..."),
        (["benchmarks.run", "--dry_run", "--task=digits"], "digits dense net"),
        (["benchmarks.verify", "--help"], "[flags] RECORD"),
        (["benchmarks.data", "--help"], "--data_dir=..."),
        (["benchmarks.speed", "--help"], "--versus=torch"),
        (["benchmarks.data", "--list"], "cifar10"),
        (["leaderboard.show", f"--results={PROTOCOL1}"], "digits"),
        (["leaderboard.show", f"--results={PROTOCOL1}", "--task=digits"], "bar >= 0.96"),
        (["leaderboard.show", "--help"], "* is Pareto-optimal"),
        (["leaderboard.export", f"--results={PROTOCOL1}", "--format=csv"], "digits"),
    ],
)
def test_a_terminal_that_takes_ascii_only(tmp_path, command, shown):
    done = shell(*command, **ASCII, SLIMBENCH_DATA=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert shown in done.stdout
    assert done.stdout.isascii()


def test_a_whole_run_on_a_terminal_that_takes_ascii_only_from_anywhere(tmp_path):
    """The board has signs beyond ASCII; --config and the default workdir do not need the clone as current folder."""
    done = shell(*SMOKE, cwd=tmp_path, **ASCII)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.isascii()
    assert "bar >= 0.96" in done.stdout
    assert (tmp_path / "runs/board/board.md").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


@pytest.mark.parametrize("platform", ["cuda", "bogus"])
def test_a_platform_that_is_not_there_is_one_line(tmp_path, platform):
    done = shell(*SMOKE, f"--workdir={tmp_path / 'work'}", JAX_PLATFORMS=platform)
    if platform == "cuda" and done.returncode == 0:
        pytest.skip("CUDA is there")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: JAX_PLATFORMS={platform}: ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("where", ["file", "/sys/slimbench"])
def test_a_workdir_that_cannot_be_written_is_one_line(tmp_path, where):
    (tmp_path / "file").touch()
    done = shell(*SMOKE, f"--workdir={tmp_path / where}")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: --workdir: {tmp_path / where}: ")
    assert done.stderr.count("\n") == 1


def test_a_pipe_that_closes_ends_quietly():
    done = shell("benchmarks.run", "--list", after="| head -1; exit ${PIPESTATUS[0]}")
    assert (done.stdout, done.stderr) == ("tasks\n", "")
    assert done.returncode in (0, 141)  # 0 if all was written before head ended


@pytest.mark.parametrize("after", ["> /dev/full", ">&-"])
def test_a_standard_output_that_takes_nothing_is_one_line(after):
    done = shell("benchmarks.run", "--list", after=after)
    assert done.returncode == 2
    assert done.stderr.startswith("error: standard output")
    assert done.stderr.count("\n") == 1


def test_a_file_too_large_fails_the_job_that_writes_it(tmp_path):
    """Of 8 kB: early weights have 90 kB. What is not written is not there, and no other job is run on it."""
    line = f"ulimit -f 8; exec {sys.executable} -W ignore -m {' '.join(SMOKE)} --workdir={tmp_path}"
    env = os.environ | {"JAX_PLATFORMS": "cpu"}
    done = subprocess.run(["bash", "-c", line], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert "early-" in done.stderr
    assert "File too large" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("2 jobs failed: digits/dense net/seed0, digits/rtn/4/seed0; ")
    assert list(tmp_path.rglob("*.slim")) == list(tmp_path.rglob("*.tmp")) == []
