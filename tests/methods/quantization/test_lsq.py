"""LSQ: where the step sizes start, which grid each tensor gets, and the gradient of a step size."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from numpy.testing import assert_allclose, assert_array_equal

from methods.base import Problem, State
from methods.flaxnet import forward, fresh
from methods.paths import flatten, replace
from methods.quantization.lsq import Bounds, Learned, lsq, scale_gradient, start


@pytest.mark.parametrize(
    ("bits", "signed", "step", "low", "high", "gain"),
    [
        (4, True, 0.6 / 7**0.5, -8, 7, 1 / 350**0.5),
        (4, False, 0.6 / 15**0.5, 0, 15, 1 / 750**0.5),
        (2, True, 0.6, -2, 1, 1 / 50**0.5),
    ],
)
def test_start_by_hand(bits, signed, step, low, high, gain):
    log_step, bounds = start(jnp.float32(0.3), 50, jnp.float32(bits), signed)
    assert_allclose(log_step, np.log(step), rtol=1e-6)
    assert_allclose(bounds, (low, high, gain), rtol=1e-6)


def test_a_tensor_of_zeros_starts_at_step_one():
    assert start(jnp.float32(0), 50, jnp.float32(4), True)[0] == 0


def test_scale_gradient_keeps_the_value_and_scales_the_gradient():
    x, gain = jnp.float32([0.1, -3]), jnp.float32(0.25)
    value, pull = jax.vjp(scale_gradient, x, gain)
    assert_array_equal(value, x)
    to_x, to_gain = pull(jnp.float32([1, 8]))
    assert_array_equal(to_x, [0.25, 2])
    assert to_gain == 0


CODES = Bounds(jnp.float32(-4), jnp.float32(3), jnp.float32(0.1))  # of 3 bits, with g = 0.1


def rounded(log_step, weight):
    """What LSQ makes of one weight."""
    state = State({"weights": {"layer/kernel": log_step}, "inputs": {}}, Learned({"layer/kernel": CODES}, {}))
    return lsq().view(state, {"params": {"layer": {"kernel": weight}}})["params"]["layer"]["kernel"]


def test_gradient_of_the_log_step_by_hand():
    """g / s² · s · Σ (gradient of the output) · (eq. 3), on 3 bits at s = 0.5 with g = 0.1."""
    weight = jnp.float32([-5, -1.9, 0.3, 1.25, 2])
    equation_3 = np.array([-4, -0.2, 0.4, -0.5, 3])
    output = np.float32([1, 10, 100, 1000, 10000])
    run = jax.jit(jax.grad(lambda log_step, weight: (output * rounded(log_step, weight)).sum(), (0, 1)))
    to_step, to_weight = run(jnp.log(jnp.float32(0.5)), weight)
    assert_allclose(to_step, 0.1 / 0.5 * (output @ equation_3), rtol=1e-5)
    assert_array_equal(to_weight, output * [0, 1, 1, 1, 0])


@pytest.mark.parametrize("start_at", [0.02, 0.5, 3.0])
def test_under_sgd_a_step_size_moves_as_in_the_paper(start_at):
    """log s_end / s_0 after 40 steps, against the paper's own: s -= rate · g · ∂L/∂s in NumPy, to first order."""
    rng = np.random.default_rng(0)
    weight = np.float32(rng.normal(size=200) * 4 * start_at)
    target = np.float32(weight + rng.normal(size=200) * start_at)
    rate = 0.02 * start_at / np.abs(weight).sum()
    slope = jax.jit(jax.grad(lambda log_step: ((rounded(log_step, weight) - target) ** 2).sum() / 2))
    s, log_step = start_at, jnp.log(jnp.float32(start_at))
    for _ in range(40):
        codes = np.round(np.clip(weight / s, -4, 3))
        to_step = np.where((weight / s > -4) & (weight / s < 3), codes - weight / s, codes)  # eq. 3
        s -= rate * 0.1 * ((codes * s - target) @ to_step)
        log_step -= rate * slope(log_step)
    moved = np.log(s / start_at)
    assert abs(moved) > 0.01
    assert_allclose(log_step - np.log(start_at), moved, rtol=0.02)


@pytest.fixture(scope="module")
def prepared(mlp):
    """(state of 3 bits after init, the layers' inputs); calibrated on 10 examples, 6 and 4."""
    batches = [{"x": mlp.x[:6]}, {"x": mlp.x[6:]}]
    problem = Problem(mlp.net, mlp.x[:1], batches, None, steps=5)
    net, variables, state = lsq().init(jax.random.key(0), problem, mlp.variables, (jnp.float32(3),))
    assert net is mlp.net
    assert variables is mlp.variables
    return state, mlp.inputs(mlp.variables, mlp.x)


@pytest.mark.parametrize(("layer", "high"), [("dense1", 3), ("dense2", 3), ("head", 3)])
def test_weights_start_at_2_mean_over_root_high(prepared, mlp, layer, high):
    state, _ = prepared
    weight = np.asarray(mlp.variables["params"][layer]["kernel"])
    path = f"{layer}/kernel"
    assert_allclose(np.exp(state.train["weights"][path]), 2 * np.abs(weight).mean() / high**0.5, rtol=1e-5)
    assert_allclose(state.fixed.weights[path], (-high - 1, high, (weight.size * high) ** -0.5), rtol=1e-6)


@pytest.mark.parametrize(("layer", "low", "high"), [("dense1", -4, 3), ("dense2", 0, 7), ("head", 0, 7)])
def test_inputs_are_unsigned_where_nothing_is_negative(prepared, layer, low, high):
    state, inputs = prepared
    x = inputs[layer]
    assert_allclose(np.exp(state.train["inputs"][layer]), 2 * np.abs(x).mean() / high**0.5, rtol=1e-5)
    assert_allclose(state.fixed.inputs[layer], (low, high, (x.shape[1] * high) ** -0.5), rtol=1e-6)


def test_edges_at_8_bits(mlp):
    """The paper's scope: weights and inputs of the first and the last layer."""
    problem = Problem(mlp.net, mlp.x[:1], [{"x": mlp.x}], None, steps=5)
    fixed = lsq(edge_bits=8).init(jax.random.key(0), problem, mlp.variables, (jnp.float32(3),))[2].fixed
    assert {path: bounds.high for path, bounds in fixed.weights.items()} == {
        "dense1/kernel": 127,
        "dense2/kernel": 3,
        "head/kernel": 127,
    }
    assert {path: bounds.high for path, bounds in fixed.inputs.items()} == {"dense1": 127, "dense2": 7, "head": 255}


def test_weights_alone_need_no_data(mlp, prepared):
    problem = Problem(mlp.net, mlp.x[:1], (), None, steps=5)
    state = lsq(activations=False).init(jax.random.key(0), problem, mlp.variables, (jnp.float32(3),))[2]
    assert state.train["inputs"] == {}
    assert state.train["weights"] == prepared[0].train["weights"]


def test_every_kernel_has_a_step_and_no_bias_has(prepared):
    state, _ = prepared
    assert sorted(state.train["weights"]) == ["dense1/kernel", "dense2/kernel", "head/kernel"]
    assert sorted(state.train["inputs"]) == ["dense1", "dense2", "head"]


def test_forward_rounds_weights_and_inputs(prepared, mlp):
    state, _ = prepared
    steps = jax.tree.map(lambda s: np.float32(np.exp(s)), state.train)

    def rounded(x, step, bounds):
        return np.float32(np.round(np.clip(x / step, bounds.low, bounds.high)) * step)

    leaves = flatten(mlp.variables["params"])
    kernels = {path: rounded(leaves[path], s, state.fixed.weights[path]) for path, s in steps["weights"].items()}
    expected = mlp.inputs(
        {"params": replace(mlp.variables["params"], kernels)},
        mlp.x,
        change=lambda name, x: rounded(x, steps["inputs"][name], state.fixed.inputs[name]),
    )["out"]

    @jax.jit
    def run(state, variables):
        return forward(mlp.net, lsq().view(state, variables), mlp.x, tap=lsq().tap(state))[0]

    assert_allclose(run(state, mlp.variables), expected, rtol=1e-4, atol=1e-4)


def test_settle_turns_step_sizes_into_numbers(prepared):
    state, _ = prepared
    *_, settled = lsq().settle(None, SimpleNamespace(net=None), None, state, 1)
    assert state.fixed.grids is None
    assert settled._replace(fixed=settled.fixed._replace(grids=None)) == state
    for path, log_step in state.train["weights"].items():
        grid = settled.fixed.grids.weights[path]
        assert_allclose(grid.scale, np.exp(log_step), rtol=1e-6)
        assert (grid.zero_point, grid.low) == (0, state.fixed.weights[path].low)


class Tied(nn.Module):
    """A language model whose head is its embedding; the layer called last is no edge of it."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        token = nn.Embed(11, 8, name="token")
        return token.attend(nn.Dense(8, name="mix")(nn.relu(nn.Dense(8, name="hidden")(token(x)))))


def test_the_last_layer_is_the_last_that_uses_its_weights():
    x = jnp.arange(12).reshape(2, 6) % 11
    problem = Problem(Tied(), x[:1], [{"x": x}], None, steps=0)
    variables = fresh(Tied(), jax.random.key(0), x)
    fixed = lsq(edge_bits=8).init(jax.random.key(0), problem, variables, (jnp.float32(3),))[2].fixed
    bits = {path: np.log2(float(b.high - b.low + 1)) for path, b in fixed.weights.items()}
    assert bits == {"token/embedding": 8, "hidden/kernel": 3, "mix/kernel": 3}
    assert sorted(fixed.inputs) == ["hidden", "mix", "token"]
