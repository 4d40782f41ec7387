"""Every net: groups and resizing, and what is particular to each."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from flax import traverse_util
from numpy.testing import assert_allclose, assert_array_equal

from tasks.nets.bcresnet import BCResNet, SubBandNorm
from tasks.nets.conformer import Conformer, real_frames
from tasks.nets.convnet import ConvNet
from tasks.nets.dscnn import DSCNN
from tasks.nets.encoder import Encoder
from tasks.nets.gpt import GPT
from tasks.nets.layers.dropout import Dropout
from tasks.nets.mlp import MLP
from tasks.nets.resnet import ResNet, resnet, wide_resnet
from tasks.nets.spec import NETS, check_net
from tasks.nets.vgg import VGG

RANDOM = np.random.default_rng(0)
IMAGE = np.linspace(0, 1, 128, dtype=np.float32)
RGB = RANDOM.normal(size=(2, 8, 8, 3)).astype(np.float32)
TOKENS = np.arange(12, dtype=np.int32).reshape(2, 6) % 11
FRAMES = RANDOM.normal(size=(2, 12, 40)).astype(np.float32)
SMALL = {  # net, input
    "BCResNet": (BCResNet((3, 4, 5, 6, 7, 8), blocks=(2, 1, 1, 2), classes=3), FRAMES[..., None]),
    "Conformer": (
        Conformer(
            bands=40,
            subsampling=(2, 3),
            width=12,
            head_width=4,
            heads=(3, 2),
            mlp=(8, 6, 7, 5),
            channels=(5, 6),
            kernel=3,
            classes=4,
        ),
        FRAMES,
    ),
    "ConvNet": (ConvNet(side=8, channels=(4, 6), hidden=5, classes=3), IMAGE.reshape(2, 8, 8, 1)),
    "DSCNN": (DSCNN((4, 6, 5), kernel=(4, 3), strides=(2, 2), classes=3), IMAGE.reshape(2, 8, 8, 1)),
    "Encoder": (Encoder(11, 6, width=12, head_width=4, heads=(3, 2), mlp=(8, 6), classes=3), TOKENS),
    "GPT": (GPT(11, 6, width=12, head_width=4, heads=(3, 2), mlp=(8, 6)), TOKENS),
    "MLP": (MLP(64, hidden=(7, 5), classes=3), IMAGE.reshape(2, 64)),
    "ResNet": (ResNet((4, 6, 5), blocks=(1, 1, 2), strides=(1, 2, 2), inner=(3, 4, 5, 6), classes=3), RGB),
    "VGG": (VGG((4, 3, 5), stages=(2, 1), classes=3), RGB),
    "lenet": (  # more of the same classes
        ConvNet(side=20, channels=(3, 4), hidden=7, classes=2, kernel=5, padding="VALID"),
        RANDOM.normal(size=(2, 20, 20, 1)).astype(np.float32),
    ),
    "mlperf": (ResNet((3, 5), blocks=(1, 1), strides=(1, 2), inner=(4, 7), classes=3, kind="mlperf"), RGB),
    "wide": (ResNet((3, 5, 6), blocks=(0, 2, 1), strides=(1, 1, 2), inner=(4, 6, 5), classes=3, kind="pre"), RGB),
}
GROUPS = [(name, group) for name, (net, _) in SMALL.items() for group in net.groups()]
REMOVABLE = [(name, group) for name, group in GROUPS if group != "width"]  # layer norm counts channels of zeros, too


def variables_of(name):
    """Random everywhere: no bias is 0, no running statistic 0 or 1. Biases are positive, so that no channel is dead."""
    net, x = SMALL[name]
    shapes = jax.eval_shape(net.init, jax.random.key(0), x)
    rng = np.random.default_rng(1)
    leaves = {path: rng.uniform(-1, 1, leaf.shape).astype(np.float32) for path, leaf in flat(shapes).items()}
    return nested({path: np.abs(leaf) if path.endswith(("/var", "/bias")) else leaf for path, leaf in leaves.items()})


@functools.partial(jax.jit, static_argnums=0)
def apply(net, variables, x):
    return net.apply(variables, x)


def flat(variables):
    return traverse_util.flatten_dict(variables, sep="/")


def nested(leaves):
    return traverse_util.unflatten_dict(leaves, sep="/")


def shapes_of(variables):
    return {path: leaf.shape for path, leaf in flat(variables).items()}


def test_every_net_of_the_suite_is_tested_here():
    assert {name for name, net in NETS.items() if net.__module__.startswith("tasks.nets.")} <= set(SMALL)


@pytest.mark.parametrize("name", sorted(SMALL))
def test_it_builds_again_from_its_json(name):
    check_net(SMALL[name][0])


@pytest.mark.parametrize(("name", "group"), GROUPS)
def test_axes_have_the_length_they_say(name, group):
    leaves, group = flat(variables_of(name)), SMALL[name][0].groups()[group]
    for axis in group.axes:
        assert leaves[f"{axis.collection}/{axis.path}"].shape[axis.axis] == axis.outer * group.size * axis.inner, axis
    assert any(axis.produces for axis in group.axes)


def changed(name, group, change):
    """variables_of(name) with `change(leaf, axis number, channel)` of channel 1, where the group has one."""
    leaves, group = flat(variables_of(name)), SMALL[name][0].groups()[group]
    for axis in group.axes:
        path = f"{axis.collection}/{axis.path}"
        leaves[path] = change(leaves[path], axis.axis, channel(axis, 1, group.size))
    return nested(leaves)


def channel(axis, number, size):
    """Indices along the axis: outer · size · inner, worked out one by one."""
    return [(o * size + number) * axis.inner + i for o in range(axis.outer) for i in range(axis.inner)]


def remove(leaf, axis, index):
    return np.delete(leaf, index, axis)


def zero(leaf, axis, index):
    np.moveaxis(leaf, axis, 0)[index] = 0
    return leaf


@pytest.mark.parametrize(("name", "group"), GROUPS)
def test_sliced_leaves_have_the_shapes_of_the_resized_net(name, group):
    net, x = SMALL[name]
    smaller = net.resize({group: net.groups()[group].size - 1})
    expected = jax.eval_shape(smaller.init, jax.random.key(0), x)
    assert shapes_of(changed(name, group, remove)) == shapes_of(expected)
    assert smaller.groups()[group].size == net.groups()[group].size - 1


@pytest.mark.parametrize(("name", "group"), REMOVABLE)
def test_a_removed_channel_is_a_channel_of_zeros(name, group):
    net, x = SMALL[name]
    smaller = net.resize({group: net.groups()[group].size - 1})
    expected = apply(net, changed(name, group, zero), x)
    assert not np.allclose(expected, apply(net, variables_of(name), x), rtol=1e-3)
    assert_allclose(apply(smaller, changed(name, group, remove), x), expected, rtol=1e-4, atol=1e-5)


def test_unknown_group_is_refused():
    with pytest.raises(ValueError, match=r"no channel group is named \['conv9'\]; groups are \['conv1'"):
        SMALL["ConvNet"][0].resize({"conv9": 1})


def test_gpt_does_not_see_the_future():
    net, _ = SMALL["GPT"]
    x = np.array([[1, 2, 3, 4, 5, 6]])
    changed = np.array([[1, 2, 3, 4, 9, 6]])
    out, other = apply(net, variables_of("GPT"), x), apply(net, variables_of("GPT"), changed)
    assert_array_equal(out[:, :4], other[:, :4])
    assert (np.abs(out[:, 4:] - other[:, 4:]).max(-1) > 1e-4).all()


def test_gpt_refuses_more_tokens_than_positions():
    net, _ = SMALL["GPT"]
    with pytest.raises(ValueError, match="x has 7 tokens; this GPT has positions for at most 6"):
        jax.eval_shape(net.init, jax.random.key(0), np.ones((1, 7), np.int32))


def test_interceptors_see_both_products_of_attention():
    net, x = SMALL["GPT"]
    seen = {}

    def tap(next_fun, args, kwargs, context):
        seen["/".join(context.module.path)] = [np.shape(a) for a in args]
        return next_fun(*args, **kwargs)

    with nn.intercept_methods(tap):
        jax.eval_shape(net.apply, variables_of("GPT"), x)
    assert seen["block0/attention/scores"] == [(2, 3, 6, 4), (2, 3, 4, 6)]
    assert seen["block1/attention/mix"] == [(2, 2, 6, 6), (2, 2, 6, 4)]


def test_dropout_zeroes_its_share_and_keeps_the_mean():
    """0.3 of 256 is 77: 77 of 256 are zeroed, the rest scaled by 256/179; the gradient likewise."""
    x = jnp.ones(2**18)
    run = jax.value_and_grad(lambda x: Dropout(0.3).apply({}, x, rngs={"dropout": jax.random.key(0)}).sum())
    total, slope = jax.jit(run)(x)
    assert_array_equal(np.unique(slope), np.float32([0, 256 / 179]))
    assert np.mean(slope == 0) == pytest.approx(77 / 256, abs=5e-3)
    assert float(total) == pytest.approx(float(slope.sum()), rel=1e-5)


def test_gpt_and_encoder_drop_only_in_training():
    for name in ("GPT", "Encoder"):
        net, x = SMALL[name]
        run = jax.jit(functools.partial(net.clone(dropout=0.5).apply, train=True))
        variables = variables_of(name)
        a, b = (run(variables, x, rngs={"dropout": jax.random.key(seed)}) for seed in (0, 1))
        assert np.abs(a - b).max() > 1e-2
        assert_array_equal(apply(net.clone(dropout=0.5), variables, x), apply(net, variables, x))


def test_encoder_does_not_see_padding():
    net, _ = SMALL["Encoder"]
    sentence = np.array([[3, 1, 4, 1]], np.int32)
    alone, padded = (apply(net, variables_of("Encoder"), np.pad(sentence, ((0, 0), (0, n)))) for n in (0, 2))
    assert_allclose(padded, alone, rtol=1e-5)
    other = apply(net, variables_of("Encoder"), np.array([[3, 1, 4, 5]], np.int32))
    assert np.abs(other - alone).max() > 1e-2


def test_encoder_sees_both_ways_and_survives_an_empty_sentence():
    net, _ = SMALL["Encoder"]
    assert np.isfinite(apply(net, variables_of("Encoder"), np.zeros((1, 6), np.int32))).all()
    stream = Encoder(11, 6, width=12, head_width=4, heads=(3,), mlp=(8,), classes=3)
    variables = stream.init(jax.random.key(0), np.ones((1, 6), np.int32))
    first = lambda last: stream.apply(variables, np.array([[1, 2, last]]))  # noqa: E731
    assert np.abs(first(3) - first(4)).max() > 1e-4


@pytest.mark.parametrize("frames", [12, 11, 10, 9])
def test_conformer_does_not_see_padding(frames):
    net, _ = SMALL["Conformer"]
    x = FRAMES[:, :frames]
    alone = apply(net, variables_of("Conformer"), x)
    padded = np.pad(x, ((0, 0), (0, 7), (0, 0)))
    assert alone.shape == (2, 3, 4)
    assert real_frames(padded).sum(1).tolist() == [3, 3]
    assert_allclose(apply(net, variables_of("Conformer"), padded)[:, :3], alone, rtol=1e-4, atol=1e-5)


def test_conformer_statistics_do_not_see_padding():
    net, _ = SMALL["Conformer"]
    run = jax.jit(functools.partial(net.apply, train=True, mutable=["batch_stats"]))
    vars_ = []
    for x in (FRAMES, np.pad(FRAMES, ((0, 0), (0, 8), (0, 0)))):
        _, renewed = run(variables_of("Conformer"), x)
        vars_.append(renewed["batch_stats"]["block1"]["conv"]["batch_norm"]["var"])
    assert_allclose(*vars_, rtol=1e-4)


def test_bcresnet_refuses_other_bands():
    with pytest.raises(ValueError, match="x has 32 bands; BC-ResNet takes 40"):
        jax.eval_shape(SMALL["BCResNet"][0].init, jax.random.key(0), np.ones((1, 9, 32, 1), np.float32))


def test_sub_band_norm_by_hand():
    x = np.random.default_rng(0).normal(size=(3, 4, 10, 2)).astype(np.float32)
    variables = SubBandNorm().init(jax.random.key(0), x, False)
    y, _ = SubBandNorm().apply(variables, x, True, mutable=["batch_stats"])
    for band in range(5):
        part = x[:, :, 2 * band : 2 * band + 2]
        expected = (part - part.mean((0, 1, 2))) / np.sqrt(part.var((0, 1, 2)) + 1e-5)
        assert_allclose(y[:, :, 2 * band : 2 * band + 2], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("make", "message"), [(resnet, "6n \\+ 2"), (wide_resnet, "6n \\+ 4")])
def test_depths_that_do_not_divide_are_refused(make, message):
    with pytest.raises(ValueError, match=f"depth is 21; it must be {message}"):
        make(21, classes=10) if make is resnet else make(21, 2, classes=10)


@pytest.mark.parametrize("name", sorted(SMALL))
def test_it_is_float32_also_where_jax_has_64_bits(name):
    net, x = SMALL[name]
    with jax.enable_x64(True):
        out, variables = jax.eval_shape(functools.partial(net.init_with_output, train=False), jax.random.key(0), x)
        rngs = {"dropout": jax.random.key(1)}
        train = functools.partial(net.apply, train=True, rngs=rngs, mutable=["batch_stats"])
        again, renewed = jax.eval_shape(train, variables, x)
    assert {leaf.dtype for leaf in jax.tree.leaves((out, variables, again, renewed))} == {np.dtype("float32")}
