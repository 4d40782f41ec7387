"""The range of what enters a module, over all calibration batches."""

import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from numpy.testing import assert_allclose

from methods.calibration.ranges import calibrate


def batches(x, *sizes):
    return [{"x": part} for part in np.split(x, np.cumsum(sizes)[:-1])]


@pytest.fixture(scope="module")
def uneven(mlp):
    """The examples in batches of 4, 4 and 2: the extremes in the second, the last large, so that its weight shows."""
    x = mlp.x.copy()
    x[5] = [-99, 0.1, 99]
    x[8:] *= 30
    return x, batches(x, 4, 4, 2)


@pytest.mark.parametrize("layer", ["dense1", "dense2", "head"])
def test_ranges_are_those_of_all_examples_together(mlp, uneven, layer):
    x, parts = uneven
    seen = calibrate(mlp.net, mlp.variables, parts, ["dense1", "dense2", "head"])[layer]
    expected = mlp.inputs(mlp.variables, x)[layer]
    assert_allclose(seen.minimum, expected.min(), rtol=1e-5)
    assert_allclose(seen.maximum, expected.max(), rtol=1e-5)
    assert_allclose(seen.mean_abs, np.abs(expected).mean(), rtol=1e-5)
    assert seen.features == expected.shape[1]
    by_batch = np.mean([np.abs(mlp.inputs(mlp.variables, part["x"])[layer]).mean() for part in parts])
    assert abs(seen.mean_abs - by_batch) > 0.05 * by_batch


def test_only_the_given_paths_are_observed(mlp, uneven):
    assert list(calibrate(mlp.net, mlp.variables, uneven[1], iter(["dense2"]))) == ["dense2"]


def test_a_path_that_is_never_called_is_refused(mlp, uneven):
    with pytest.raises(ValueError, match=r"no module is called at \['hidden'\]; called are \['dense1'\]"):
        calibrate(mlp.net, mlp.variables, uneven[1], {"dense1", "hidden"})


def test_calibration_without_batches_is_refused(mlp):
    with pytest.raises(ValueError, match="calibration has no batches"):
        calibrate(mlp.net, mlp.variables, [], ["dense1"])


class Tokens(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.Dense(1, use_bias=False, name="head")(nn.Embed(3, 2, name="embed")(x))


def test_integer_inputs_have_no_range():
    params = {"embed": {"embedding": jnp.float32([[1, 2], [-3, 4], [9, 9]])}, "head": {"kernel": jnp.ones((2, 1))}}
    seen = calibrate(Tokens(), {"params": params}, [{"x": np.array([[0, 1, 1]])}], ["embed", "head"])
    assert list(seen) == ["head"]
    assert_allclose(seen["head"], (-3, 4, (1 + 2 + 2 * (3 + 4)) / 6, 6), rtol=1e-6)  # 3 positions of 2
