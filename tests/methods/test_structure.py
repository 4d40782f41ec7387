"""Structured pruning: what a channel is worth, which are kept, and that the smaller net is the net without the rest."""

import jax
import numpy as np
import pytest
from flax import linen as nn
from numpy.testing import assert_allclose, assert_array_equal

from methods import METHODS
from methods.base import Fallback, Problem, Teacher
from methods.flaxnet import forward
from methods.paths import flatten, replace
from methods.structure import kept_size, positions, saliency, shrink
from tasks.nets.convnet import ConvNet
from tasks.nets.dscnn import DSCNN
from tasks.nets.gpt import GPT
from tasks.nets.groups import Axis, Group, read, written


@pytest.mark.parametrize(
    ("size", "fraction", "kept"),
    [(4, 0.5, 2), (8, 1.0, 8), (8, 0.375, 3), (6, 0.75, 4), (10, 0.25, 2), (5, 0.125, 1), (1, 0.75, 1)],
)
def test_kept_size_by_hand(size, fraction, kept):
    assert kept_size(size, fraction) == kept_size(size, np.float32(fraction)) == kept


@pytest.mark.parametrize("size", [1, 3, 4])
def test_at_least_one_channel_is_kept_and_it_is_said(size):
    with pytest.warns(Fallback, match=f"1 channel of {size} is kept, where 0.125 of them is none"):
        assert kept_size(size, 0.125) == 1


def test_saliency_sums_over_all_that_produces():
    group = Group(2, (Axis("a", 1, produces=True), Axis("b", 0, produces=True, inner=2), Axis("c", 0)))
    leaves = {"a": [[1, -2], [3, 4]], "b": [[-1], [1], [0.5], [0]], "c": [100, 200]}
    assert_array_equal(saliency(group, leaves), [4 + 2, 6 + 0.5])


def test_positions_lie_outer_then_channel_then_inner():
    group = Group(3, ())
    kept = np.array([0, 2])
    assert_array_equal(positions(kept, group, Axis("", 0)), [0, 2])
    assert_array_equal(positions(kept, group, Axis("", 0, inner=2)), [0, 1, 4, 5])
    assert_array_equal(positions(kept, group, Axis("", 0, outer=2)), [0, 2, 3, 5])


def random_variables(net, x):
    """Random everywhere, biases and running statistics too."""
    rng = np.random.default_rng(0)
    shapes = jax.eval_shape(net.init, jax.random.key(0), x)
    return jax.tree.map(lambda leaf: rng.uniform(0.1, 1, leaf.shape).astype(np.float32), shapes)


CONV = ConvNet(side=8, channels=(3, 3), hidden=4, classes=2)
IMAGES = np.random.default_rng(1).normal(size=(5, 8, 8, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def convnet():
    """Variables whose L1 norms rank the channels: conv1 1 < 2 < 0, conv2 0 < 1 < 2, dense1 2 < 0 < 3 < 1."""
    variables = random_variables(CONV, IMAGES)
    leaves = flatten(variables["params"])
    leaves["conv1/kernel"] *= [10, -0.1, 1]
    leaves["conv2/kernel"] *= [0.1, -1, 10]
    leaves["dense1/kernel"] *= [1, 100, 0.01, -10]
    return {"params": replace(variables["params"], leaves)}


def test_the_most_salient_channels_are_kept_in_order(convnet):
    net, smaller = shrink(CONV, convnet, 0.6, IMAGES[:1])  # of 3, 3 and 4: 2, 2 and 2
    assert net == ConvNet(side=8, channels=(2, 2), hidden=2, classes=2)
    old, new = flatten(convnet["params"]), flatten(smaller["params"])
    assert_array_equal(new["conv1/kernel"], old["conv1/kernel"][..., [0, 2]])
    assert_array_equal(new["conv1/bias"], old["conv1/bias"][[0, 2]])
    assert_array_equal(new["conv2/kernel"], old["conv2/kernel"][:, :, [0, 2]][..., [1, 2]])
    assert_array_equal(
        new["dense1/kernel"], old["dense1/kernel"][[1, 2, 4, 5, 7, 8, 10, 11]][:, [1, 3]]
    )  # at 2 × 2 positions
    assert_array_equal(new["head/kernel"], old["head/kernel"][[1, 3]])
    assert_array_equal(new["head/bias"], old["head/bias"])


def test_the_smaller_net_is_the_net_with_the_outgoing_weights_zeroed(convnet):
    leaves = {path: np.array(leaf) for path, leaf in flatten(convnet["params"]).items()}
    leaves["conv2/kernel"][:, :, 1] = 0
    leaves["dense1/kernel"][[0, 3, 6, 9]] = 0
    leaves["head/kernel"][[0, 2]] = 0
    run = jax.jit(lambda net, variables: forward(net, variables, IMAGES)[0], static_argnums=0)
    expected = run(CONV, {"params": replace(convnet["params"], leaves)})
    assert_allclose(run(*shrink(CONV, convnet, 0.6, IMAGES[:1])), expected, rtol=1e-5)
    assert not np.allclose(run(CONV, convnet), expected, rtol=1e-2)


TOKENS = np.ones((2, 5), np.int32)
TINY_GPT = GPT(7, 5, width=4, head_width=3, heads=(4, 2), mlp=(6, 4))


def test_heads_and_the_residual_stream_of_a_gpt():
    """Of 4 heads, those numbered 1 and 3; of the stream's 4 channels, 0 and 3; each block's own neurons."""
    variables = random_variables(TINY_GPT, TOKENS)
    leaves = flatten(variables["params"])
    for part in ("query", "key", "value"):
        leaves[f"block0/attention/{part}/kernel"] *= np.repeat([1, 10, 1, 10], 3)
    for path in ("token/embedding", "position/embedding"):
        leaves[path] *= [100, 1, 1, 100]
    variables = {"params": replace(variables["params"], leaves)}
    net, smaller = shrink(TINY_GPT, variables, 0.5, TOKENS[:1])
    assert net == GPT(7, 5, width=2, head_width=3, heads=(2, 1), mlp=(3, 2))
    new, stream, heads = flatten(smaller["params"]), [0, 3], [3, 4, 5, 9, 10, 11]
    assert_array_equal(new["token/embedding"], leaves["token/embedding"][:, stream])
    assert_array_equal(new["norm/scale"], leaves["norm/scale"][stream])
    assert_array_equal(new["head/kernel"], leaves["head/kernel"][stream])
    for part in ("query", "key", "value"):
        assert_array_equal(
            new[f"block0/attention/{part}/kernel"], leaves[f"block0/attention/{part}/kernel"][stream][:, heads]
        )
        assert_array_equal(new[f"block0/attention/{part}/bias"], leaves[f"block0/attention/{part}/bias"][heads])
    assert_array_equal(new["block0/attention/out/kernel"], leaves["block0/attention/out/kernel"][heads][:, stream])


@pytest.mark.parametrize(
    ("net", "x"),
    [
        (TINY_GPT, TOKENS),
        (DSCNN((4, 6, 5), kernel=(4, 3), strides=(2, 2), classes=3), np.ones((2, 9, 8, 1), np.float32)),
    ],
    ids=["GPT", "DSCNN"],
)
@pytest.mark.filterwarnings("ignore::methods.base.Fallback")
@pytest.mark.parametrize("fraction", [0.75, 0.5, 0.125])
def test_shapes_are_those_of_the_smaller_net(net, x, fraction):
    smaller, variables = shrink(net, random_variables(net, x), fraction, x[:1])
    assert smaller.groups().keys() == net.groups().keys()
    for name, group in smaller.groups().items():
        assert group.size == kept_size(net.groups()[name].size, fraction)
    expected = jax.eval_shape(smaller.init, jax.random.key(0), x)
    assert jax.tree.map(np.shape, variables) == jax.tree.map(np.shape, expected)


def test_running_statistics_go_with_their_channels():
    net = DSCNN((3, 3), kernel=(4, 3), strides=(2, 2), classes=2)
    x = np.ones((1, 9, 8, 1), np.float32)
    variables = random_variables(net, x)
    variables["params"]["conv"]["kernel"] *= np.float32([1, 100, 10])
    _, smaller = shrink(net, variables, 0.7, x)
    for layer in ("conv_norm", "depthwise0_norm"):
        for leaf in ("mean", "var"):
            assert_array_equal(smaller["batch_stats"][layer][leaf], variables["batch_stats"][layer][leaf][1:])


class TwoLayers(nn.Module):
    """Its one group is described wrongly, or it is resized wrongly."""

    wrong: str
    width: int = 8

    @nn.compact
    def __call__(self, x, train: bool = False):
        bias = self.param("bias", nn.initializers.zeros, (8 if self.wrong == "fails" else self.width,))
        return nn.Dense(3, name="head")(nn.relu(nn.Dense(self.width, name="hidden")(x)) + bias)

    def groups(self):
        own, axes = Axis("bias", 0), (*written("hidden"), read("head"))
        return {"middle": Group(self.width, (own, *AXES[self.wrong]) if self.wrong in AXES else (own, *axes))}

    def resize(self, sizes):
        return self.clone(width=sizes["middle"])


AXES = {
    "misspelt": (*written("hiden"), read("head")),
    "another axis": (Axis("hidden/kernel", 0, produces=True), Axis("hidden/bias", 0), read("head")),
    "no such axis": (*written("hidden"), Axis("hidden/bias", 1), read("head")),
    "nothing produces": (Axis("hidden/kernel", -1), Axis("hidden/bias", 0), read("head")),
    "reader forgotten": written("hidden"),
    "bias forgotten": (*written("hidden", bias=False), read("head")),
}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("misspelt", "group 'middle': axis -1 of params/hiden/kernel must have length 8, but there is no such leaf"),
        ("another axis", r"group 'middle': axis 0 of params/hidden/kernel must .* 8, but its shape is \(5, 8\)"),
        ("no such axis", r"group 'middle': axis 1 of params/hidden/bias must have length 8, but its shape is \(8,\)"),
        ("nothing produces", "group 'middle': no axis produces its channels"),
        ("reader forgotten", r"groups \['middle'\]: .* makes params/head/kernel \(4, 3\), but by .* it is \(8, 3\)"),
        ("bias forgotten", r"groups \['middle'\]: .* makes params/hidden/bias \(4,\), but by .* it is \(8,\)"),
        ("fails", r"groups \['middle'\]: resize\(\{'middle': 4\}\) makes a net that fails: "),
    ],
)
@pytest.mark.parametrize("name", ["channels", "student", "kd"])
def test_groups_that_do_not_fit_are_refused_by_name(name, wrong, said):
    net, x = TwoLayers(wrong), np.ones((2, 5), np.float32)
    variables = net.init(jax.random.key(0), x)
    problem = Problem(net, x[:1], (), None, 5, Teacher(net, variables))
    with pytest.raises(ValueError, match=said):
        METHODS[name].make().init(jax.random.key(0), problem, variables, (np.float32(0.5),))


def test_the_same_net_with_right_groups_is_shrunk():
    net, x = TwoLayers("nothing"), np.ones((2, 5), np.float32)
    smaller, variables = shrink(net, net.init(jax.random.key(0), x), 0.5, x)
    assert smaller == TwoLayers("nothing", width=4)
    assert smaller.apply(variables, x).shape == (2, 3)
