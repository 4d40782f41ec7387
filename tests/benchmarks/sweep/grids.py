"""A small grid run by processes of its own, which tests kill, stop and race; and its records without timings."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[3]
CONFIG = """
from benchmarks.plan.config import Budget, Config, Loop

def get_config():
    return Config(tasks=("digits",), methods=("magnitude", "rtn"), strengths={"magnitude": ((0.5,),), "rtn": ((4.0,),)},
                  seeds=(0,), tuning=False, budget=Budget(dense=0.1, recovery=0.1),
                  loop=Loop(log_every=5, checkpoint_s=0.0))
"""
TIMINGS = {"latency", "seconds", "compile_s", "cached", "starts", "command", "provenance"}


def start(workdir, config, *flags, env=None):
    """The process, started; `env` adds to the environment."""
    command = [sys.executable, "-m", "benchmarks.run", f"--config={config}", f"--workdir={workdir}", *flags]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | (env or {}), **pipes)


def warm(workdir, other):
    """A new workdir with the compiled programs of another: runs in it take seconds less, and give the same bits."""
    shutil.copytree(other / "compiled", workdir / "compiled")
    return workdir


def finish(workdir, config, *flags, code=0):
    """(stdout, stderr) of a whole run, which must end with this exit code."""
    process = start(workdir, config, *flags)
    out, err = process.communicate(timeout=300)
    assert process.returncode == code, err
    return out, err


def wait_for(process, workdir, pattern):
    """Returns once a file or folder matches while the process still runs."""
    while process.poll() is None and not list(workdir.glob(pattern)):
        time.sleep(0.005)
    assert process.poll() is None, f"ended before {pattern} was there: {process.communicate()}"


def kill_when(workdir, config, pattern, *flags):
    """SIGKILL once a file or folder matches."""
    process = start(workdir, config, *flags)
    wait_for(process, workdir, pattern)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def records(workdir):
    """{method: its record without timings}."""
    return {
        path.name.partition("-")[0]: json.loads(path.read_text(), object_hook=_without_timings)
        for path in (workdir / "records" / "digits").glob("*.json")
    }


def _without_timings(found):
    return {key: value for key, value in found.items() if key not in TIMINGS}
