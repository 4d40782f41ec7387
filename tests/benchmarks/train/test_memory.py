import dataclasses
import gc
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.measure.programs import PROGRAMS
from benchmarks.plan.config import Config
from benchmarks.sweep.sweep import sweep
from tasks import TASKS

MAPS = Path("/proc/self/maps")

ARRAYS = """
import resource
from benchmarks.train.allocator import keep_freed
assert keep_freed()
import numpy as np
def faults():
    np.ones(20_000_000)  # 160 MB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
faults()
before = faults()
print(faults() - before)
"""
STEPS = """
import resource
from benchmarks.train.allocator import keep_freed
assert keep_freed()
import jax
import jax.numpy as jnp
def loss(w, x):
    for _ in range(3):
        x = jnp.tanh(jax.lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")))
    return x.sum()
step = jax.jit(jax.grad(loss))
w, x = jnp.ones((3, 3, 16, 16)), jnp.ones((128, 32, 32, 16))  # x and each of its like: 8 MB
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    step(w, x).block_until_ready()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(min(faults() for _ in range(10)))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has mallopt")
@pytest.mark.parametrize("script", [ARRAYS, STEPS], ids=["arrays", "steps"])  # else 40,000 and 16,000 pages
def test_memory_that_was_freed_is_still_mapped(script):
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "JAX_PLATFORMS": "cpu"}
    out = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert int(out.stdout) < 20


@pytest.mark.skipif(not MAPS.exists(), reason="only Linux tells of memory maps")
def test_programs_of_one_task_are_gone_before_the_next_begins(tiny, tmp_path, monkeypatch):
    PROGRAMS.clear()  # of other tests
    held = []

    def load():
        gc.collect()
        held.append(len(MAPS.read_text().splitlines()))
        return tiny.load()

    for name in ("one", "two", "three"):
        monkeypatch.setitem(TASKS, name, dataclasses.replace(tiny, name=name, load=load))
    for tasks in (("one",), ("two", "three")):
        sweep(Config(tasks, ("dense",), seeds=(0,)), tmp_path, "test")
    first, after_one, *cleared = held  # data are loaded once to check each task, and once to run it
    assert len(cleared) == 3
    assert after_one - first > 200
    assert max(abs(count - first) for count in cleared) < 100
