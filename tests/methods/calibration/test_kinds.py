"""Every way to call a layer: its range spans all calls, and the tap that rounds inputs reaches the same calls."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from methods.calibration.ranges import calibrate
from methods.flaxnet import forward, fresh, transform_inputs
from methods.paths import flatten, replace
from methods.transforms.grids import Quantizer
from tests.methods.calibration.kinds import KINDS, X

ZERO = Quantizer(*map(jnp.float32, (1e9, 0, -1, 1)))  # rounds every input of the nets here to 0


@pytest.fixture(scope="module", params=KINDS)
def case(request):
    """(kind, its variables); the net has run without a tap before."""
    kind = KINDS[request.param]
    variables = fresh(kind.net, jax.random.key(0), X)
    jax.jit(lambda v: forward(kind.net, v, X)[0])(variables)
    return kind, variables


def test_the_range_is_that_of_all_calls(case):
    kind, variables = case
    seen = calibrate(kind.net, variables, [{"x": X[:2]}, {"x": X[2:]}], [kind.path])[kind.path]
    scalars = np.concatenate([call.ravel() for call in kind.inputs(variables["params"])])
    assert_allclose(seen.minimum, scalars.min(), rtol=1e-5)
    assert_allclose(seen.maximum, scalars.max(), rtol=1e-5)
    assert_allclose(seen.mean_abs, np.abs(scalars).mean(dtype=np.float64), rtol=1e-5)
    assert seen.features == scalars.size / len(X)
    channels = np.max([np.abs(call).reshape(-1, call.shape[-1]).max(0) for call in kind.inputs(variables["params"])], 0)
    assert_allclose(seen.peaks, channels, rtol=1e-5)


def test_rounding_reaches_the_same_calls(case):
    """An input of zeros does what weights of zeros do."""
    kind, variables = case
    run = jax.jit(lambda v, tap: forward(kind.net, v, X, tap=tap)[0], static_argnums=1)
    plain = run(variables, None)
    leaves = flatten(variables["params"])
    weight = next(path for path in leaves if path.startswith(f"{kind.path}/") and not path.endswith("bias"))
    without = {"params": replace(variables["params"], {weight: jnp.zeros_like(leaves[weight])})}
    found = run(variables, transform_inputs({kind.path: (ZERO,)}))
    assert_array_equal(found, run(without, None))
    assert not np.array_equal(found, plain)
    assert_array_equal(run(variables, None), plain)


def test_ranges_are_the_same_bits_each_time(case):
    kind, variables = case
    first, again = (calibrate(kind.net, variables, [{"x": X}], [kind.path])[kind.path] for _ in range(2))
    assert [np.asarray(a).tobytes() for a in first] == [np.asarray(a).tobytes() for a in again]
