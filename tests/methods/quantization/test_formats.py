"""FP8 and MXFP4 on nets of every kind: weights against NumPy and ml_dtypes, blocks along what is summed over."""

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from flax import linen as nn
from numpy.testing import assert_allclose, assert_array_equal

from methods.base import Problem, Shipped
from methods.flaxnet import forward, fresh
from methods.paths import flatten
from methods.quantization.fp8 import fp8, scale_of
from methods.quantization.mxfp4 import mxfp4
from methods.transforms.transform import decoded
from tasks.nets.gpt import gpt


class Convolutions(nn.Module):
    """A convolution with batch norm, a depthwise one around which there is a shortcut, and a head."""

    @nn.compact
    def __call__(self, x, train: bool):
        x = nn.relu(nn.BatchNorm(not train, name="norm")(nn.Conv(12, (3, 3), name="conv")(x)))
        x = x + nn.Conv(12, (5, 5), feature_group_count=12, name="depthwise")(x)
        return nn.Dense(4, name="head")(x.mean((1, 2)))


class Recurrent(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool):
        return nn.Dense(2, name="head")(nn.RNN(nn.GRUCell(40, name="cell"), name="rnn")(x)[:, -1])


class Case:
    """A net with its weights, and along which axes a weight is summed over, or looked up together."""

    def __init__(self, net, x, summed=lambda path, ndim: tuple(range(ndim - 1))):
        self.net, self.summed = net, summed
        self.variables = fresh(net, jax.random.key(0), x)
        self.problem = Problem(net, x[:1], [{"x": x[:2]}, {"x": x[2:]}], None, steps=0)

    def settled(self, method):
        """(weights by path, what ships, outputs of the simulation, those of what ships)."""
        _, variables, state = method.init(jax.random.key(0), self.problem, self.variables, ())
        _, variables, state = method.settle(jax.random.key(0), self.problem, variables, state, 1)
        shipped = method.export(state, Shipped(self.net, variables))
        x = self.problem.calibration[0]["x"]
        seen = method.view(state, variables)
        out = jax.jit(lambda v, s: forward(self.net, method.view(s, v), x, tap=method.tap(s))[0])(variables, state)
        again = jax.jit(lambda v, s: forward(self.net, v, x, tap=method.tap(s))[0])(decoded(shipped.variables), state)
        return flatten(seen["params"]), shipped, out, again


RNG = np.random.default_rng(0)
CASES = {
    "convolutions": Case(Convolutions(), jnp.asarray(RNG.normal(size=(4, 6, 6, 5)), jnp.float32)),
    "recurrent": Case(Recurrent(), jnp.asarray(RNG.normal(size=(4, 3, 35)), jnp.float32)),
    "transformer": Case(
        gpt(11, 6, 1, 36, 2),
        jnp.asarray(RNG.integers(0, 11, (4, 6)), jnp.int32),
        lambda path, ndim: (1,) if "embedding" in path else tuple(range(ndim - 1)),
    ),
}
each_case = pytest.mark.parametrize("case", CASES)


def rounds(case, leaves):
    """(path, weight [rows, summed] before, after) of each weight that is rounded."""
    own = flatten(case.variables["params"])
    for path in own:
        if path.rpartition("/")[2] in ("kernel", "embedding"):
            axes = case.summed(path, own[path].ndim)
            size = np.prod([own[path].shape[axis] for axis in axes])
            yield (
                path,
                *(np.moveaxis(np.asarray(w[path]), axes, range(len(axes))).reshape(size, -1).T for w in (own, leaves)),
            )


def blocks(rows):
    """Rows in NumPy: e2m1 under a power of two for each 32 in a row."""
    made = np.zeros_like(rows)
    for i in range(0, rows.shape[1], 32):
        block = np.float64(rows[:, i : i + 32])
        peak = np.abs(block).max(1, keepdims=True)
        scale = np.exp2(np.floor(np.log2(np.where(peak > 0, peak, 1))) - 2)
        made[:, i : i + 32] = np.clip(block / scale, -6, 6).astype(ml_dtypes.float4_e2m1fn).astype(np.float64) * scale
    return made


@each_case
@pytest.mark.parametrize("inputs", [False, True])
def test_mxfp4_rounds_blocks_along_what_is_summed_over(case, inputs):
    case = CASES[case]
    leaves, shipped, out, again = case.settled(mxfp4(inputs=inputs))
    count = 0
    for path, before, after in rounds(case, leaves):
        assert_array_equal(after, blocks(before), err_msg=path)
        count += 1
    assert count >= 3
    for path, leaf in flatten(decoded(shipped.variables["params"])).items():
        assert_array_equal(leaf, leaves[path])
    assert_allclose(again, out, rtol=1e-5, atol=1e-6)


@each_case
@pytest.mark.parametrize("inputs", [False, True])
@pytest.mark.parametrize(("format", "theirs"), [("e4m3fn", ml_dtypes.float8_e4m3fn), ("e5m2", ml_dtypes.float8_e5m2)])
def test_fp8_has_a_scale_for_each_output_channel(case, inputs, format, theirs):
    case = CASES[case]
    leaves, shipped, out, again = case.settled(fp8(format, inputs=inputs))
    largest = np.float32(ml_dtypes.finfo(theirs).max)
    for path, before, after in rounds(case, leaves):
        scale = np.abs(before).max(1, keepdims=True) * np.float32(1 / float(largest))
        scale = np.where(scale > 0, scale, np.float32(1))
        ratio = np.clip(before * (np.float32(1) / scale), -largest, largest)
        assert_array_equal(after, ratio.astype(theirs).astype(np.float32) * scale, err_msg=path)
    for path, leaf in flatten(decoded(shipped.variables["params"])).items():
        assert_array_equal(leaf, leaves[path])
    assert_allclose(again, out, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("method", [mxfp4(inputs=True), fp8("e4m3fn", inputs=True)])
def test_inputs_of_floats_are_rounded_and_tokens_are_not(method):
    _, shipped, *_ = CASES["transformer"].settled(method)
    layers = [f"block0/{layer}" for layer in ("attention/key", "attention/out", "up", "down")]
    assert set(layers) < set(shipped.inputs)
    assert not {"token", "position"} & set(shipped.inputs)


def test_without_inputs_nothing_is_tapped():
    assert CASES["transformer"].settled(mxfp4())[1].inputs == {}


def test_scales_of_inputs_are_static_and_of_a_tensor():
    case = CASES["convolutions"]
    (one,) = case.settled(fp8("e4m3fn", inputs=True))[1].inputs["conv"]
    x = np.concatenate([batch["x"] for batch in case.problem.calibration])
    assert_allclose(one.scale, np.abs(x).max() / 448, rtol=1e-6)
    assert one.scale.shape == ()


def test_batch_norm_is_estimated_again_where_inputs_are_rounded():
    case = CASES["convolutions"]
    before = case.variables["batch_stats"]["norm"]["mean"]
    for method, renewed in ((mxfp4(), False), (mxfp4(inputs=True), True), (fp8("e5m2", inputs=True), True)):
        after = case.settled(method)[1].variables["batch_stats"]["norm"]["mean"]
        assert bool((np.asarray(after) != np.asarray(before)).any()) == renewed


def test_a_channel_of_zeros_has_scale_one():
    assert_array_equal(scale_of(jnp.float32([0, 1e-39, 448, 896]), "e4m3fn"), [1, 1, 1, 2])
