"""A run that is killed and started again ends with the records of one that was not, byte for byte but for timings."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

CONFIG = """
from benchmarks.config import Budget, Config, Loop

def get_config():
    return Config(tasks=("digits",), methods=("magnitude",), strengths={"magnitude": (0.5,)}, seeds=(0,),
                  budget=Budget(dense=0.1, recovery=0.1), loop=Loop(log_every=5, checkpoint_every=5))
"""
TIMINGS = {"latency", "seconds", "compile_s", "command"}


def start(workdir, config):
    command = [sys.executable, "-m", "benchmarks.run", f"--config={config}", f"--workdir={workdir}"]
    return subprocess.Popen(
        command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(workdir, config):
    process = start(workdir, config)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out, err


def kill_when(workdir, config, pattern):
    """SIGKILL once a file or folder matches."""
    process = start(workdir, config)
    while process.poll() is None and not list(workdir.glob(pattern)):
        time.sleep(0.01)
    assert process.poll() is None, f"ended before {pattern} was there: {process.communicate()}"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def records(workdir):
    (path,) = (workdir / "records" / "digits").glob("magnitude-*.json")
    return json.loads(path.read_text(), object_hook=lambda d: {k: v for k, v in d.items() if k not in TIMINGS})


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unbroken")
    (folder / "config.py").write_text(CONFIG)
    return folder, finish(folder / "work", folder / "config.py")


def test_killed_twice_equals_unbroken(unbroken, tmp_path):
    folder, _ = unbroken
    work = tmp_path / "work"
    kill_when(work, folder / "config.py", "digits/dense-net-*/seed0/checkpoints/[0-9]*")
    kill_when(work, folder / "config.py", "digits/magnitude-*/*/seed0/checkpoints/[0-9]*")
    finish(work, folder / "config.py")
    assert records(work) == records(folder / "work")
    assert not list(work.rglob("*.tmp"))
    assert not list(work.rglob("checkpoints"))


def test_a_second_run_only_prints(unbroken):
    folder, (first, _) = unbroken
    stamps = {path: path.stat().st_mtime_ns for path in (folder / "work" / "digits").rglob("*") if path.is_file()}
    second, err = finish(folder / "work", folder / "config.py")
    assert second == first
    assert "step" not in err
    assert stamps == {p: p.stat().st_mtime_ns for p in (folder / "work" / "digits").rglob("*") if p.is_file()}
