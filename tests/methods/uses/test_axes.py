"""Which axes of a weight keep a scale, and along which its layers are stacked; right values by hand."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from methods.base import Fallback
from methods.paths import KERNELS, flatten, select
from methods.uses.axes import edges, layer_axes, output_axes
from tests.tasks.nets.test_published import PARAMETERS, variables_of


class Net(nn.Module):
    """Any function of a module and x as a net."""

    make: object

    @nn.compact
    def __call__(self, x, train: bool = False):
        return self.make(self, x)


ROW, IMAGE, SEQUENCE = jnp.ones((1, 8)), jnp.ones((1, 4, 4, 3)), jnp.ones((1, 6, 16))
TOKENS = jnp.zeros((1, 5), jnp.int32)


def shapes_of(net, x):
    return jax.eval_shape(lambda: net.init(jax.random.key(0), x))


def axes_of(make, x, pattern=KERNELS):
    """{path: (axes that keep a scale, stacked axes)}, without a warning."""
    net = Net(make)
    variables = shapes_of(net, x)
    paths = select(variables["params"], pattern)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kept = output_axes(net, variables, x, paths)
    stacked = layer_axes(net, variables, x, paths)
    return {path: (kept[path], stacked[path]) for path in paths}


def layer(make, name="it"):
    return lambda net, x: make(name=name)(x)


class Residual(nn.Module):
    @nn.compact
    def __call__(self, x, _=None):
        return x + nn.Dense(8, name="dense")(nn.relu(x)), None


def scanned(axis, inner):
    options = {"variable_axes": {"params": axis}, "split_rngs": {"params": True}, "length": 2}
    return lambda net, x: nn.scan(inner, **options)(name="layers")(x, None)[0]


def experts(module, axis, *args):
    """The first sees the same input in all experts, the second one of its own."""
    options = {"out_axes": 0, "axis_size": 4, "variable_axes": {"params": axis}, "split_rngs": {"params": True}}

    def make(net, x):
        hidden = nn.relu(nn.vmap(module, in_axes=None, **options)(6, *args, name="up")(x))
        return nn.vmap(module, in_axes=0, **options)(7, *args, name="down")(hidden)

    return make


def looped(net, x):
    w = net.param("kernel", nn.initializers.ones, (8, 8))
    return jax.lax.while_loop(lambda y: (y @ w).sum() < 9, lambda y: y @ w.astype(y.dtype), x)


def branches(net, x):
    w = net.param("kernel", nn.initializers.ones, (3, 8, 8))
    return jax.lax.cond(x.sum() > 0, lambda: x @ w[0], lambda: x @ w[1])


def tied(net, x):
    embed = nn.Embed(11, 8, name="embed")
    positions = nn.Embed(5, 8, name="position")(jnp.arange(5))
    return embed.attend(nn.Dense(8, name="dense")(embed(x) + positions))


def fused(net, x):
    """Three projections, picked from one array, and one that is made of two."""
    qkv = net.param("qkv/kernel", nn.initializers.ones, (3, 16, 10))
    a, b = (net.param(f"{name}/kernel", nn.initializers.ones, (16, 4)) for name in "ab")
    q, k, v = (x @ w for w in qkv)
    return q, k + v, x @ jnp.concatenate([a, b], axis=1), x @ qkv[np.array([0, 2])].transpose(1, 0, 2).reshape(16, 20)


CASES = {  # a net, its input, {path: (axes that keep a scale, stacked axes)}
    "dense": (layer(lambda **k: nn.Dense(5, **k)), ROW, {"it/kernel": ((1,), ())}),
    "one output": (layer(lambda **k: nn.Dense(1, **k)), ROW, {"it/kernel": ((), ())}),
    "conv": (layer(lambda **k: nn.Conv(5, (3, 3), **k)), IMAGE, {"it/kernel": ((3,), ())}),
    "depthwise": (
        layer(lambda **k: nn.Conv(6, (3, 3), feature_group_count=3, **k)),
        IMAGE,
        {"it/kernel": ((3,), ())},
    ),
    "transposed": (layer(lambda **k: nn.ConvTranspose(5, (2, 2), (2, 2), **k)), IMAGE, {"it/kernel": ((3,), ())}),
    "stored [h, w, out, in]": (
        layer(lambda **k: nn.ConvTranspose(5, (2, 2), (2, 2), transpose_kernel=True, **k)),
        IMAGE,
        {"it/kernel": ((2,), ())},
    ),
    "heads": (
        layer(lambda **k: nn.MultiHeadDotProductAttention(4, qkv_features=32, **k)),
        SEQUENCE,
        {"it/query/kernel": ((1, 2), ()), "it/key/kernel": ((1, 2), ()), "it/value/kernel": ((1, 2), ())}
        | {"it/out/kernel": ((2,), ())},
    ),
    "scanned layers": (scanned(0, Residual), ROW, {"layers/dense/kernel": ((0, 2), (0,))}),
    "scanned along the second axis": (scanned(1, Residual), ROW, {"layers/dense/kernel": ((1, 2), (1,))}),
    "scanned and computed again": (scanned(0, nn.remat(Residual)), ROW, {"layers/dense/kernel": ((0, 2), (0,))}),
    "experts": (experts(nn.Dense, 0), ROW, {"up/kernel": ((0, 2), (0,)), "down/kernel": ((0, 2), (0,))}),
    "experts along the second axis": (
        experts(nn.Dense, 1),
        ROW,
        {"up/kernel": ((1, 2), (1,)), "down/kernel": ((1, 2), (1,))},
    ),
    "experts that convolve": (
        experts(nn.Conv, 0, (3, 3)),
        IMAGE,
        {"up/kernel": ((0, 4), (0,)), "down/kernel": ((0, 4), (0,))},
    ),
    "recurrent": (
        lambda net, x: nn.RNN(nn.SimpleCell(6, name="cell"))(x),
        SEQUENCE,
        {"cell/i/kernel": ((1,), ()), "cell/h/kernel": ((1,), ())},
    ),
    "jit": (layer(lambda **k: nn.jit(nn.remat(nn.Dense))(5, **k)), ROW, {"it/kernel": ((1,), ())}),
    "while": (looped, ROW, {"kernel": ((1,), ())}),
    "cond": (branches, ROW, {"kernel": ((0, 2), ())}),
    "tied": (
        tied,
        TOKENS,
        {"embed/embedding": ((0,), ()), "position/embedding": ((0,), ()), "dense/kernel": ((1,), ())},
    ),
    "fused": (
        fused,
        SEQUENCE,
        {"qkv%2Fkernel": ((0, 2), ()), "a%2Fkernel": ((1,), ()), "b%2Fkernel": ((1,), ())},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_axes_by_hand(case):
    make, x, expected = CASES[case]
    assert axes_of(make, x, "kernel|embedding") == expected


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_suites_nets_keep_the_last_axis_and_the_rows_of_tables(name):
    net, shape, _ = PARAMETERS[name]
    variables, x = variables_of(net, shape)
    weights = select(variables["params"])
    found = output_axes(net, variables, x, weights)
    assert found == {path: (0,) if path.endswith("embedding") else (w.ndim - 1,) for path, w in weights.items()}
    assert set(layer_axes(net, variables, x, weights).values()) == {()}


def transposed_too(net, x):
    w = net.param("kernel", nn.initializers.ones, (8, 3))
    return (x @ w) @ w.T


def one_hot_too(net, x):
    """A table that is looked up by row and multiplied by a sum over its rows."""
    embed = nn.Embed(11, 8, name="kernel")
    return embed(x) + jax.nn.one_hot(x, 11) @ embed.embedding


SHARED = "with a scale shared along axes"


@pytest.mark.parametrize(
    ("make", "x", "kept", "said"),
    [
        (
            transposed_too,
            ROW,
            (),
            rf"kernel is multiplied {SHARED} \[0\] and multiplied {SHARED} \[1\]: axes \[\] keep",
        ),
        (one_hot_too, TOKENS, (0,), rf"kernel/embedding is looked up {SHARED} \[1\] and multiplied {SHARED} \[0\]: "),
        (lambda net, x: x * net.param("kernel", nn.initializers.ones, (3, 8)).sum(), ROW, (1,), "cannot be followed"),
        (lambda net, x: x + 0 * net.param("kernel", nn.initializers.ones, (1, 8))[0], ROW, (1,), "cannot be followed"),
    ],
)
def test_what_is_not_clear_is_told(make, x, kept, said):
    net = Net(make)
    variables = shapes_of(net, x)
    (path,) = flatten(variables["params"])
    with pytest.warns(Fallback, match=said) as told:
        assert output_axes(net, variables, x, [path]) == {path: kept}
    assert len(told) == 1


def test_edges_are_the_weights_used_first_and_last():
    order = lambda make, x, pattern=KERNELS: edges(  # noqa: E731
        Net(make), shapes_of(Net(make), x), x, select(shapes_of(Net(make), x)["params"], pattern)
    )
    assert order(tied, TOKENS) == ("position/embedding", "embed/embedding")  # positions are looked up first
    assert order(tied, TOKENS, "embed/|dense") == ("embed/embedding", "embed/embedding")
    assert order(experts(nn.Dense, 0), ROW) == ("up/kernel", "down/kernel")
    backwards = lambda net, x: nn.Dense(2, name="a")(nn.Dense(2, name="b")(inputs=x))  # noqa: E731
    assert order(backwards, ROW) == ("b/kernel", "a/kernel")


def test_a_net_is_traced_once():
    calls = []

    def make(net, x):
        calls.append(1)
        return nn.Dense(3, name="it")(x)

    net = Net(make)
    variables = net.init(jax.random.key(0), ROW)
    calls.clear()
    for x in (ROW, jnp.zeros((7, 8))):
        output_axes(net, jax.tree.map(lambda w: w + 1, variables), x, ["it/kernel"])
        layer_axes(net, variables, x, ["it/kernel"])
    assert len(calls) == 1
