"""Data-parallel recovery on 8 simulated devices: the loss of one device.

In float64: sums in another order differ in the last bit, which lsq rounds to another step of its grid at times.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json, sys
import jax, numpy as np
from jax.sharding import Mesh
from benchmarks.train import loop
from benchmarks.measure.clock import Clock
from benchmarks.train.step import StepSpec, start
from methods import METHODS
from methods.base import Problem, Teacher
from methods.flaxnet import fresh
from tests.conftest import TINY

def double(tree):
    return jax.tree.map(lambda a: a.astype("float64") if a.dtype == "float32" else a, tree)

data, losses = jax.device_put(double(TINY.load())), {}
example = TINY.load().train["x"][:1]  # float32, as weights are born
variables = fresh(TINY.net, jax.random.key(0), example)
problem = Problem(TINY.net, example, [TINY.batch(TINY.load().calibration, np.arange(8), None)], None, 6,
                  Teacher(TINY.net, variables))
for devices in (8, 1):
    loop.data_mesh = lambda batch: Mesh(np.array(jax.devices()[:devices]), ("data",))
    for name, strength in {"lsq": (4.0,), "magnitude": (0.5,), "kd": (0.5,)}.items():
        method = METHODS[name].make()
        strength = tuple(map(jax.numpy.float32, strength))
        net, *prepared = method.init(jax.random.key(0), problem, variables, strength)
        v, state = map(double, prepared)
        spec, seen = StepSpec(TINY, net, method, TINY.recovery), []
        loop.train(spec, start(spec, v, state, data.train), data.train, 0, log_every=3, clock=Clock(),
                   report=lambda step, values: seen.extend(values.tolist()))
        losses[f"{name} {devices}"] = seen
print(json.dumps({"devices": len(jax.devices()), "losses": losses}))
"""


@pytest.fixture(scope="module")
def measured():
    env = {
        **os.environ,
        "XLA_FLAGS": "--xla_force_host_platform_device_count=8",
        "JAX_PLATFORMS": "cpu",
        "JAX_ENABLE_X64": "1",
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        cwd=Path(__file__).parents[3],
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ["lsq", "magnitude", "kd"])
def test_eight_devices_give_the_loss_of_one(measured, name):
    assert measured["devices"] == 8
    eight, one = (measured["losses"][f"{name} {devices}"] for devices in (8, 1))
    assert len(one) == 6
    assert eight == pytest.approx(one, abs=1e-5)
