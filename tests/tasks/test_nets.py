"""Every net: JSON, groups and resizing; and what is particular to each."""

import functools
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from flax import traverse_util
from numpy.testing import assert_allclose, assert_array_equal

from tasks import TASKS
from tasks.nets import DSCNN, GPT, NETS, ConvNet, net_from_json, net_to_json
from tasks.nets.convnet import max_pool
from tasks.nets.dscnn import Depthwise

IMAGE = np.linspace(0, 1, 128, dtype=np.float32)
SMALL = {  # net, input
    "ConvNet": (ConvNet(side=8, channels=(4, 6), hidden=5, classes=3), IMAGE.reshape(2, 8, 8, 1)),
    "DSCNN": (DSCNN((4, 6, 5), kernel=(4, 3), strides=(2, 2), classes=3), IMAGE.reshape(2, 8, 8, 1)),
    "GPT": (
        GPT(11, 6, width=12, head_width=4, heads=(3, 2), mlp=(8, 6)),
        np.arange(12, dtype=np.int32).reshape(2, 6) % 11,
    ),
}
GROUPS = [(name, group) for name, (net, _) in SMALL.items() for group in net.groups()]
REMOVABLE = [row for row in GROUPS if row != ("GPT", "width")]  # layer norm counts channels of zeros, too


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


def test_every_net_is_tested_here():
    assert set(NETS) == set(SMALL)


@pytest.mark.parametrize("name", sorted(NETS))
def test_json_round_trip(name):
    net = SMALL[name][0]
    again = net_from_json(json.loads(json.dumps(net_to_json(net))))
    assert again == net
    assert hash(again) == hash(net)


@pytest.mark.parametrize("task", sorted(TASKS))
def test_net_of_a_task_round_trips(task):
    net = TASKS[task].net
    assert net_from_json(json.loads(json.dumps(net_to_json(net)))) == net


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


def test_unknown_net_is_refused():
    with pytest.raises(ValueError, match="unknown net 'VGG'"):
        net_from_json({"name": "VGG", "fields": {}})


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
        seen["/".join(context.module.path)] = [a.shape for a in args]
        return next_fun(*args, **kwargs)

    with nn.intercept_methods(tap):
        jax.eval_shape(net.apply, variables_of("GPT"), x)
    assert seen["block0/attention/scores"] == [(2, 3, 6, 4), (2, 3, 4, 6)]
    assert seen["block1/attention/mix"] == [(2, 2, 6, 6), (2, 2, 6, 4)]


def test_depthwise_is_a_grouped_convolution():
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(2, 5, 4, 3)), rng.normal(size=(3, 3, 1, 3))
    variables = {"params": {"kernel": jnp.float32(kernel)}}
    grouped = nn.Conv(3, (3, 3), feature_group_count=3, use_bias=False)
    assert_allclose(Depthwise().apply(variables, jnp.float32(x)), grouped.apply(variables, jnp.float32(x)), atol=1e-5)
    corner = (x[1, :2, :2] * kernel[1:, 1:, 0]).sum((0, 1))
    assert_allclose(Depthwise().apply(variables, jnp.float32(x))[1, 0, 0], corner, rtol=1e-5)


def test_max_pool_by_hand():
    x = np.arange(16.0).reshape(1, 4, 4, 1)
    assert_array_equal(max_pool(x)[0, :, :, 0], [[5, 7], [13, 15]])
