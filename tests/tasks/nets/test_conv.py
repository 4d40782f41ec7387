"""Convolutions, pooling and batch norm: Flax's own are what they must equal."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from numpy.testing import assert_allclose, assert_array_equal

from tasks.nets.layers.conv import Conv, Depthwise, conv, max_pool
from tasks.nets.layers.norm import BatchNorm


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


CONVS = {  # input, features, kernel, strides, padding
    "first of LeNet": ((3, 12, 12, 1), 5, (5, 5), (1, 1), "VALID"),
    "second of LeNet": ((3, 8, 8, 6), 4, (5, 5), (1, 1), "VALID"),
    "of a map that shrinks, padded": ((2, 9, 8, 3), 4, (6, 5), (1, 1), ((1, 0), (0, 1))),
    "of a residual block": ((2, 8, 8, 6), 6, (3, 3), (1, 1), "SAME"),
    "strided": ((2, 8, 8, 4), 6, (3, 3), (2, 2), "SAME"),
    "odd sizes": ((2, 7, 5, 4), 3, (3, 3), (2, 2), "SAME"),
    "projection": ((2, 8, 8, 4), 6, (1, 1), (2, 2), "SAME"),
    "projection of an odd map": ((2, 7, 7, 4), 6, (1, 1), (2, 2), "SAME"),
    "pointwise": ((2, 5, 4, 4), 6, (1, 1), (1, 1), "SAME"),
    "of spectrograms": ((2, 9, 10, 1), 4, (4, 3), (2, 1), "SAME"),
    "padded by hand": ((2, 9, 10, 2), 4, (3, 3), (2, 2), ((1, 1), (1, 1))),
    "even kernel": ((2, 6, 7, 3), 4, (2, 4), (1, 1), "SAME"),
    "stride beyond the kernel": ((2, 9, 8, 3), 4, (2, 2), (3, 3), "VALID"),
}


@pytest.mark.parametrize("case", CONVS)
def test_conv_is_flax_conv(case):
    shape, features, kernel, strides, padding = CONVS[case]
    x = normal(*shape)
    ours = Conv(features, kernel, strides, padding)
    theirs = nn.Conv(features, kernel, strides, padding)
    variables = {"params": {"kernel": normal(*kernel, shape[-1], features, seed=1), "bias": normal(features, seed=2)}}
    assert jax.tree.map(jnp.shape, ours.init(jax.random.key(0), x)) == jax.tree.map(jnp.shape, variables)
    _assert_same(ours.apply, theirs.apply, variables, x)


def _gradients(kernel, x, padding="SAME"):
    return jax.grad(lambda *a: (conv(*a, padding=padding) ** 2).sum(), argnums=(0, 1))(x, kernel)


@pytest.mark.parametrize(("platform", "convolutions"), [("cpu", 2), ("cuda", 3), ("tpu", 3)])
def test_only_on_a_cpu_is_the_gradient_of_the_kernel_no_convolution(platform, convolutions):
    traced = jax.jit(_gradients).trace(normal(3, 3, 4, 5), normal(2, 8, 8, 4))
    text = traced.lower(lowering_platforms=(platform,)).as_text()
    assert text.count("stablehlo.convolution") == convolutions


@pytest.mark.parametrize(("side", "convolutions"), [(8, 1), (16, 2)])  # maps of 4, and of 12
def test_on_a_cpu_the_gradient_of_an_input_is_no_convolution_where_the_map_shrinks(side, convolutions):
    gradients = jax.jit(_gradients, static_argnames="padding")
    traced = gradients.trace(normal(5, 5, 4, 5), normal(2, side, side, 4), padding="VALID")
    text = traced.lower(lowering_platforms=("cpu",)).as_text()
    assert text.count("stablehlo.convolution") == convolutions


def test_the_training_loop_sees_that_a_net_convolves():
    """It looks for the primitive in the forward's jaxpr, to keep convolutions out of a scan on CPUs."""
    jaxpr = jax.make_jaxpr(conv)(normal(2, 8, 8, 4), normal(3, 3, 4, 5))
    assert "conv_general_dilated" in str(jaxpr)


def test_conv_under_vmap_and_by_reverse_over_reverse():
    kernels, x = normal(2, 3, 3, 4, 5), normal(2, 8, 8, 4, seed=1)
    stacked = jax.vmap(_gradients, (0, None))(kernels, x)
    for i in range(2):
        jax.tree.map(
            lambda s, a, i=i: assert_allclose(s[i], a, rtol=1e-4, atol=1e-4), stacked, _gradients(kernels[i], x)
        )

    def curvature(apply):  # vᵀHv of a sum of cubes
        slope = lambda k: (jax.grad(lambda k: (apply(k) ** 3).sum())(k) * kernels[1]).sum()  # noqa: E731
        return (jax.grad(slope)(kernels[0]) * kernels[1]).sum()

    flax = nn.Conv(5, (3, 3), use_bias=False)
    theirs = curvature(lambda k: flax.apply({"params": {"kernel": k}}, x))
    assert_allclose(curvature(lambda k: conv(x, k)), theirs, rtol=1e-4)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("strides", [(1, 1), (1, 2)])
@pytest.mark.parametrize(("kernel", "dilation"), [((3, 3), (1, 1)), ((3, 1), (4, 1)), ((1, 5), (1, 1))])
def test_depthwise_is_a_grouped_convolution(kernel, dilation, strides, batch):
    x = normal(batch, 9, 7, 3)
    grouped = nn.Conv(3, kernel, strides, "SAME", kernel_dilation=dilation, feature_group_count=3, use_bias=False)
    variables = {"params": {"kernel": normal(*kernel, 1, 3, seed=1)}}
    _assert_same(Depthwise(kernel, strides, dilation=dilation).apply, grouped.apply, variables, x)


def test_depthwise_by_hand():
    x, kernel = normal(2, 5, 4, 3), normal(3, 3, 1, 3, seed=1)
    y = Depthwise().apply({"params": {"kernel": kernel}}, x)
    assert_allclose(y[1, 0, 0], (x[1, :2, :2] * kernel[1:, 1:, 0]).sum((0, 1)), rtol=1e-5)


def _assert_same(ours, theirs, variables, x):
    """Values, and gradients of the variables and of x."""
    seed = normal(*jax.eval_shape(theirs, variables, x).shape, seed=3)
    (a, from_a), (b, from_b) = (_with_gradients(f, variables, x, seed) for f in (ours, theirs))
    assert_allclose(a, b, rtol=1e-5, atol=1e-5)
    jax.tree.map(lambda p, q: assert_allclose(p, q, rtol=1e-5, atol=3e-5), from_a, from_b)


def _with_gradients(apply, variables, x, seed):
    @jax.jit
    def run(variables, x, seed):
        y, pull = jax.vjp(apply, variables, x)
        return y, pull(seed)

    return run(variables, x, seed)


def test_max_pool_by_hand():
    x = np.arange(16.0).reshape(1, 4, 4, 1)
    assert_array_equal(max_pool(x)[0, :, :, 0], [[5, 7], [13, 15]])


def test_gradient_of_max_pool_goes_to_the_largest():
    x = np.float32([[1, 2, 0, 4], [3, 0, 1, 2]])[None, :, :, None]
    gradient = jax.grad(lambda x: (max_pool(x)[0, 0, :, 0] * jnp.array([5.0, 7.0])).sum())(x)
    assert_array_equal(gradient[0, :, :, 0], [[0, 0, 0, 7], [5, 0, 0, 0]])


BATCH_NORM = {"scale": np.float32([1, 2, -1]), "bias": np.float32([0, 1, 2])}
RUNNING = {"mean": np.float32([1, 0, 2]), "var": np.float32([1, 2, 3])}


@pytest.mark.parametrize("train", [True, False])
def test_batch_norm_is_flax_batch_norm(train):
    x = normal(4, 5, 3) + np.float32([0, 3, -2])
    flax = nn.BatchNorm(use_running_average=not train, momentum=0.9, epsilon=1e-5)

    def of(apply):
        def run(params, x):
            variables = {"params": params, "batch_stats": RUNNING}
            return apply(variables, x, mutable=["batch_stats"])

        return run

    ours, theirs = of(lambda v, x, **kw: BatchNorm().apply(v, x, train, **kw)), of(flax.apply)
    jax.tree.map(lambda a, b: assert_allclose(a, b, rtol=1e-4, atol=1e-5), ours(BATCH_NORM, x), theirs(BATCH_NORM, x))
    _assert_same(lambda *a: ours(*a)[0], lambda *a: theirs(*a)[0], BATCH_NORM, x)


def test_batch_norm_counts_what_is_real():
    x, real = normal(4, 5, 3), np.arange(20).reshape(4, 5) % 3 > 0
    variables = {"params": BATCH_NORM, "batch_stats": RUNNING}
    y, renewed = BatchNorm().apply(variables, x, True, real, mutable=["batch_stats"])
    alone, expected = BatchNorm().apply(variables, x[real], True, mutable=["batch_stats"])
    assert_allclose(y[real], alone, rtol=1e-4, atol=1e-5)
    jax.tree.map(lambda a, b: assert_allclose(a, b, rtol=1e-5), renewed, expected)


def test_batch_norm_far_from_zero():
    """A mean of squares less the square of the mean would lose all digits here."""
    x = normal(100, 2) * 0.1 + np.float32([1000, -300])
    variables = BatchNorm().init(jax.random.key(0), x, False)
    y, _ = BatchNorm().apply(variables, x, True, mutable=["batch_stats"])
    exact = np.float64(x)
    assert_allclose(y, (exact - exact.mean(0)) / np.sqrt(exact.var(0) + 1e-5), rtol=1e-2, atol=1e-2)
