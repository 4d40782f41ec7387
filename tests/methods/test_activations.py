"""What enters a module: its range over calibration, rounding it, and the order of the modules."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from numpy.testing import assert_allclose

from methods.activations import calibrate, call_order, quantize_inputs
from methods.arrays.quantizer import Quantizer
from methods.base import forward
from tasks.nets.convnet import ConvNet
from tasks.nets.gpt import GPT


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


def test_inputs_are_rounded_in_their_module_only(mlp):
    quantizer = Quantizer(*map(jnp.float32, (0.5, 0, 0, 3)))  # the values 0, 0.5, 1, 1.5

    def rounded(name, x):
        return np.float32(np.clip(np.round(x / 0.5), 0, 3) * 0.5) if name == "dense2" else x

    expected = mlp.inputs(mlp.variables, mlp.x, rounded)["out"]
    out, _ = forward(mlp.net, mlp.variables, mlp.x, tap=quantize_inputs({"dense2": quantizer}))
    assert_allclose(out, expected, rtol=1e-5, atol=1e-5)
    assert not np.allclose(expected, mlp.inputs(mlp.variables, mlp.x)["out"], atol=0.1)


ATTENTION = [f"block0/attention{part}" for part in ("", "/query", "/key", "/value", "/scores", "/mix", "/out")]
BLOCK = ["block0", "block0/norm1", *ATTENTION, "block0/norm2", "block0/up", "block0/down"]


@pytest.mark.parametrize(
    ("net", "x", "order"),
    [
        (ConvNet(4, (2, 2), 3, 2), jnp.ones((1, 4, 4, 1)), ["", "conv1", "conv2", "dense1", "head"]),
        (GPT(7, 5, 4, 2, (2,), (3,)), jnp.ones((1, 5), int), ["", "token", "position", *BLOCK, "norm", "head"]),
    ],
    ids=["ConvNet", "GPT"],
)
def test_call_order_by_hand(net, x, order):
    variables = jax.eval_shape(net.init, jax.random.key(0), x)
    assert call_order(net, variables, x) == order
