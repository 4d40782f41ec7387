"""Scaled channels: the net stays the function it was; what norms take, what ships as a division, what is left."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from methods.base import Fallback, Problem
from methods.calibration.ranges import calibrate
from methods.flaxnet import forward, transform_inputs
from methods.paths import flatten, select, unflatten
from methods.quantization.grids import module_of
from methods.quantization.scaling import scaled, scalings
from tasks.nets.dscnn import DSCNN
from tasks.nets.encoder import encoder
from tasks.nets.layers.norm import BatchNorm

RNG = np.random.default_rng(0)


class PreNorm(nn.Module):
    """Batch norm straight before a convolution, a residual sum, and batch norm before ReLU."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        x = nn.Conv(4, (3, 3), name="stem")(x)
        x = x + nn.Conv(4, (3, 3), name="residual")(BatchNorm(name="norm1")(x, train))
        x = nn.relu(BatchNorm(name="norm2")(x, train))
        return nn.Dense(2, name="head")(x.reshape(len(x), -1))


class PostNorm(nn.Module):
    """What the norm makes is read by a layer and by a sum; then by a layer whose input is cast by a grouped one."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        x = nn.RMSNorm(name="norm")(x)
        x = x + nn.Dense(6, name="dense")(x)
        x = nn.Conv(6, (3,), feature_group_count=2, name="grouped")(x)
        return nn.Dense(2, name="head")(nn.LayerNorm(use_bias=False, name="last")(x))


class Recurrent(nn.Module):
    """Layers in a loop, and heads."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        x = nn.RNN(nn.GRUCell(6, name="cell"), name="rnn")(nn.LayerNorm(name="norm")(x))
        x = nn.MultiHeadDotProductAttention(2, name="attention")(x)
        return nn.Dense(2, name="head")(nn.remat(nn.Dense)(5, name="last")(x[:, -1]))


IMAGES, ROWS = (RNG.normal(size=shape).astype(np.float32) for shape in ((4, 6, 6, 3), (4, 5, 6)))
TOKENS = RNG.integers(1, 7, (4, 5)).astype(np.int32)
GATES = tuple(f"cell/{gate}" for gate in ("ir", "iz", "in", "hr", "hz", "hn"))
QKV = tuple(f"attention/{name}" for name in ("query", "key", "value"))
NETS = {  # net, x, {modules: leaves of their norm}, modules that are left
    "prenorm": (PreNorm(), IMAGES, {"stem": (), "residual": ("norm1/bias", "norm1/scale"), "head": ()}, ()),
    "postnorm": (PostNorm(), ROWS, {"dense": (), "head": ("last/scale",)}, ("grouped",)),
    "recurrent": (
        Recurrent(),
        ROWS,
        {GATES[:3]: (), GATES[3:]: (), QKV: (), "attention/out": (), "last": (), "head": ()},
        (),
    ),
    "depthwise": (
        DSCNN(channels=(4, 4), kernel=(3, 3), strides=(1, 1), classes=3),
        IMAGES[..., :2],
        {"conv": (), "depthwise0": (), "pointwise0": (), "head": ()},
        (),
    ),
    "transformer": (
        encoder(vocabulary=7, context=5, layers=1, width=8, heads=2, classes=3),
        TOKENS,
        {
            tuple(f"block0/{name}" for name in QKV): ("block0/norm1/bias", "block0/norm1/scale"),
            "block0/attention/out": (),
            "block0/up": ("block0/norm2/bias", "block0/norm2/scale"),
            "block0/down": (),
            "head": (),
        },
        (),
    ),
}


@pytest.fixture(scope="module", params=NETS)
def case(request):
    """(net, x, variables with no zeros or ones in them, plan, what is meant, modules that a warning names)."""
    net, x, meant, left = NETS[request.param]
    shapes = flatten(jax.eval_shape(lambda: net.init(jax.random.key(0), x)))
    variables = unflatten({path: jnp.float32(RNG.normal(0.3, 0.3, a.shape)) for path, a in shapes.items()})
    variables |= jax.tree.map(jnp.abs, {name: c for name, c in variables.items() if name != "params"})
    problem = Problem(net, x[:1], [{"x": x}], None, 0)
    weights = select(variables["params"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ranges = calibrate(net, variables, problem.calibration, {module_of(path) for path in weights})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        channels = {path: seen.peaks.size for path, seen in ranges.items()}
        plan = scalings(problem, variables, list(weights), channels)
    return net, x, variables, plan, meant, left, [str(one.message) for one in caught if one.category is Fallback]


def test_what_norms_take_and_what_ships(case):
    _, _, _, plan, meant, left, said = case
    found = {frozenset(one.modules): tuple(sorted(one.norm)) for one in plan}
    assert found == {frozenset([key] if isinstance(key, str) else key): norm for key, norm in meant.items()}
    expected = [f"the inputs of {', '.join(left)} are not scaled: their weights do not scale with them"] if left else []
    assert said == expected


def test_the_net_is_the_function_it_was(case):
    net, x, variables, plan, _, _, _ = case
    scales = [jnp.float32(RNG.uniform(0.1, 10, one.channels)) for one in plan]
    other, divisions = scaled(variables, plan, scales)
    run = jax.jit(lambda v, divisions: forward(net, v, x, tap=transform_inputs(divisions))[0])
    out = run(variables, {})
    error = np.abs(run(other, divisions) - out).max()
    assert error <= 1e-5 * np.abs(out).max()
    assert set(divisions) == {module for one in plan if not one.norm for module in one.modules}
    moved = {
        path
        for path, a in flatten(other["params"]).items()
        if not np.array_equal(a, flatten(variables["params"])[path])
    }
    assert moved == {path for one in plan for path in (*dict(one.weights), *one.norm)}


def test_each_weight_is_scaled_along_its_input(case):
    """By hand: output channels are last, heads first; each channel of a depthwise kernel is convolved by itself."""
    plan = case[3]
    axes = {path.removesuffix("/kernel"): axis for one in plan for path, axis in one.weights}
    special = {"attention/out": 1, "depthwise0": 3, "stem": 2, "residual": 2, "conv": 2, "pointwise0": 2}
    assert axes == {path: special.get(path, 0) for path in axes}
