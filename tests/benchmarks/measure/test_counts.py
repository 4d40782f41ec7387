import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from benchmarks.measure.counts import count
from methods.base import Shipped
from methods.flaxnet import forward
from methods.transforms.grids import Quantized, Quantizer

IMAGE = np.zeros((3, 8, 8, 4), np.float32)
SEQUENCE = np.zeros((3, 5, 8), np.float32)


class Wrap(nn.Module):
    """Any function of modules and x as a net."""

    make: object

    @nn.compact
    def __call__(self, x, train: bool):
        return self.make(x)


def variables_of(net, example):
    """Weights that are all 0.5: dense, and the same on every machine."""
    shapes = jax.eval_shape(lambda x: net.init(jax.random.key(0), x, train=False), example)
    return jax.tree.map(lambda s: jnp.full(s.shape, 0.5, s.dtype), shapes)


def counted(make, example):
    net = Wrap(make)
    return count(Shipped(net, variables_of(net, example)), example)


def conv(*args, **kwargs):
    return lambda x: nn.Conv(*args, use_bias=False, **kwargs)(x)


def attention(x):
    return nn.MultiHeadDotProductAttention(2, deterministic=True, use_bias=False)(x, x)


CASES = {  # net, example, MACs by hand
    "dense": (lambda x: nn.Dense(10, use_bias=False)(x), np.zeros((7, 12), np.float32), 12 * 10),
    "dense over tokens": (lambda x: nn.Dense(3, use_bias=False)(x), SEQUENCE, 5 * 8 * 3),
    "two heads": (lambda x: nn.DenseGeneral((2, 3), use_bias=False)(x), SEQUENCE, 5 * 8 * 6),
    "valid": (conv(6, (3, 3), padding="VALID"), IMAGE, 6 * 6 * 9 * 4 * 6),
    "strided": (conv(6, (3, 3), strides=2, padding="VALID"), IMAGE, 3 * 3 * 9 * 4 * 6),
    "dilated": (conv(6, (3, 3), kernel_dilation=2, padding="VALID"), IMAGE, 4 * 4 * 9 * 4 * 6),
    "depthwise": (conv(4, (3, 3), feature_group_count=4, padding="VALID"), IMAGE, 6 * 6 * 9 * 4),
    "grouped": (conv(6, (3, 3), feature_group_count=2, padding="VALID"), IMAGE, 6 * 6 * 9 * 2 * 6),
    "temporal": (conv(6, (3,), padding="VALID"), SEQUENCE, 3 * 3 * 8 * 6),
    # four projections 5·8·8 and two products 2·(5·5·4)
    "attention": (attention, SEQUENCE, 4 * 5 * 8 * 8 + 2 * 2 * 5 * 5 * 4),
}


@pytest.mark.parametrize("case", CASES)
def test_macs_by_hand_and_by_xla(case):
    make, example, macs = CASES[case]
    net = Wrap(make)
    variables = variables_of(net, example)
    assert count(Shipped(net, variables), example).macs == macs
    lowered = jax.jit(lambda v, x: forward(net, v, x)[0]).lower(variables, example[:1])
    # XLA counts a multiply and an add apart; the softmax of attention comes on top
    assert 2 * macs <= lowered.compile().cost_analysis()["flops"] <= 2 * macs + (2000 if case == "attention" else 0)


def test_padding_counts_like_any_position():
    assert counted(conv(6, (3, 3), padding="SAME"), IMAGE).macs == 8 * 8 * 9 * 4 * 6


def transposed(features, side, stride, padding="VALID"):
    return lambda x: nn.ConvTranspose(features, (side, side), (stride, stride), padding=padding, use_bias=False)(x)


class DepthwiseTransposed(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool):
        kernel = self.param("kernel", nn.initializers.ones, (3, 3, 1, 4))
        options = {"lhs_dilation": (2, 2), "feature_group_count": 4, "dimension_numbers": ("NHWC", "HWIO", "NHWC")}
        return jax.lax.conv_general_dilated(x, kernel, (1, 1), ((1, 2), (1, 2)), **options)


@pytest.mark.parametrize(
    ("net", "shape", "macs"),
    [
        (Wrap(transposed(6, 2, 2)), (3, 8, 8, 4), 8 * 8 * 4 * 4 * 6),
        (Wrap(transposed(1, 2, 2)), (1, 2, 2, 3), 2 * 2 * 4 * 3),
        (Wrap(transposed(1, 3, 1)), (1, 1, 1, 32), 9 * 32),
        (Wrap(transposed(5, 3, 1)), (1, 6, 4, 2), 6 * 4 * 9 * 2 * 5),
        (Wrap(transposed(5, 3, 1, "SAME")), (1, 6, 4, 2), 6 * 4 * 9 * 2 * 5),
        (Wrap(transposed(5, 3, 2)), (1, 6, 4, 2), 6 * 4 * 9 * 2 * 5),
        (DepthwiseTransposed(), (1, 8, 8, 4), 8 * 8 * 9 * 4),
    ],
)
def test_a_transposed_convolution_costs_its_input_positions_at_any_stride(net, shape, macs):
    example = np.zeros(shape, np.float32)
    assert count(Shipped(net, variables_of(net, example)), example).macs == macs


def test_what_does_not_multiply_is_free():
    def make(tokens):
        x = nn.LayerNorm()(nn.Embed(11, 8)(tokens))
        return nn.max_pool(x, (5,)) * 2.0

    counts = counted(make, np.zeros((3, 5), np.int32))
    assert (counts.macs, counts.bops, counts.density) == (0, 0.0, 1.0)
    assert counts.parameters == 11 * 8 + 8 + 8


class Mlp(nn.Module):
    """8 -> 4 -> relu -> 2, the second layer under jit and remat."""

    @nn.compact
    def __call__(self, x, train: bool):
        x = nn.relu(nn.Dense(4, name="up")(x))
        return nn.jit(nn.remat(nn.Dense))(2, name="down")(x)


def mlp():
    up = np.ones((8, 4), np.float32)
    up[:6] = 0  # density 1/4
    down = Quantized(jnp.array([[0, 1], [1, -1], [0, 0], [1, 1]]), jnp.ones((1, 2)), jnp.zeros((1, 2)), bits=2, low=-1)
    params = {"up": {"kernel": jnp.asarray(up), "bias": jnp.zeros(4)}, "down": {"kernel": down, "bias": jnp.zeros(2)}}
    grid = Quantizer(jnp.float32(0.1), jnp.float32(0), jnp.float32(0), jnp.float32(255))
    return Shipped(Mlp(), {"params": params}, {"down": (grid,)})


def test_density_and_bits_by_hand():
    counts = count(mlp(), np.zeros((5, 8), np.float32))
    assert counts.macs == 32 + 8
    assert counts.parameters == 32 + 4 + 8 + 2
    assert counts.effective_macs == 32 / 4 + 8 * 5 / 8
    assert counts.bops == 32 / 4 * 32 * 32 + 8 * 5 / 8 * 2 * 8
    assert counts.density == (8 + 5) / (32 + 8)
    assert counts.weight_bits == (32 * 32 + 8 * 2) / (32 + 8)


def test_code_of_the_zero_point_is_a_zero():
    shipped = mlp()
    kernel = shipped.variables["params"]["down"]["kernel"]
    shipped.variables["params"]["down"]["kernel"] = kernel.replace(
        codes=kernel.codes + 1, zero_point=jnp.ones((1, 2)), low=0
    )
    assert count(shipped, np.zeros((5, 8), np.float32)).effective_macs == 8 + 5


def test_products_of_two_activations_are_dense_and_float():
    net = Wrap(attention)
    variables = jax.tree.map(jnp.zeros_like, variables_of(net, SEQUENCE))
    counts = count(Shipped(net, variables), SEQUENCE)
    assert counts.effective_macs == 2 * 2 * 5 * 5 * 4
    assert counts.bops == counts.effective_macs * 1024
    assert counts.density == 0.0


def zeroed(variables, path):
    """`variables` with one weight zero; what vanishes from the effective MACs is what that weight is charged with."""
    kill = lambda p, leaf: jnp.zeros_like(leaf) if jax.tree_util.keystr(p, simple=True, separator="/") == path else leaf  # noqa: E731
    return {"params": jax.tree_util.tree_map_with_path(kill, variables["params"])}


def charged(net, variables, example, path):
    whole = count(Shipped(net, variables), example)
    return whole.effective_macs - count(Shipped(net, zeroed(variables, path)), example).effective_macs


class Tied(nn.Module):
    """A table that is looked up, and multiplied as the output layer; a fused kernel, sliced; weight normalization."""

    @nn.compact
    def __call__(self, tokens, train: bool):
        embed = nn.Embed(11, 8, name="embed")
        x = embed(tokens) * self.param("gain", nn.initializers.ones, (8,))
        qkv = self.param("qkv", nn.initializers.ones, (3, 64))
        x = x @ (2.0 * qkv[1].reshape(8, 8)).T.astype(jnp.float32)
        v, g = self.param("v", nn.initializers.ones, (8, 8)), self.param("g", nn.initializers.ones, (8,))
        x = x @ (g * v / jnp.sqrt(jnp.sum(v**2, axis=0)))
        return embed.attend(x)


def test_a_multiply_is_charged_to_the_weight_it_comes_from():
    tokens = np.zeros((2, 5), np.int32)
    variables = variables_of(Tied(), tokens)
    charges = {p: charged(Tied(), variables, tokens, p) for p in ("embed/embedding", "qkv", "v", "g", "gain")}
    assert charges == {"embed/embedding": 5 * 8 * 11, "qkv": 5 * 64, "v": 5 * 64, "g": 0, "gain": 0}
    assert count(Shipped(Tied(), variables), tokens).density == 1.0


class Layer(nn.Module):
    @nn.compact
    def __call__(self, carry, _):
        return nn.Dense(6, name="out")(carry), None


class Recurrent(nn.Module):
    """A cell scanned over time, then a stack of two layers scanned over depth."""

    @nn.compact
    def __call__(self, x, train: bool):
        x = nn.RNN(nn.SimpleCell(6, name="cell"))(x)
        stack = nn.scan(Layer, variable_axes={"params": 0}, split_rngs={"params": True}, length=2)
        return stack(name="stack")(x, None)[0]


def test_scan_counts_every_step_and_keeps_the_charge():
    variables = variables_of(Recurrent(), SEQUENCE)
    counts = count(Shipped(Recurrent(), variables), SEQUENCE)
    assert counts.macs == 5 * (8 * 6 + 6 * 6) + 2 * 5 * 6 * 6
    charges = {
        p: charged(Recurrent(), variables, SEQUENCE, p) for p in ("cell/i/kernel", "cell/h/kernel", "stack/out/kernel")
    }
    assert charges == {"cell/i/kernel": 5 * 48, "cell/h/kernel": 5 * 36, "stack/out/kernel": 2 * 5 * 36}


class Branches(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool):
        small, large = (self.param(n, nn.initializers.ones, (8, k)) for n, k in (("small", 2), ("large", 5)))
        return jax.lax.cond(x.sum() > 0, lambda: (x @ small).sum(), lambda: (x @ large).sum())


def test_of_two_branches_the_dearer_counts():
    example = np.zeros((1, 8), np.float32)
    variables = variables_of(Branches(), example)
    assert count(Shipped(Branches(), variables), example).macs == 8 * 5
    assert charged(Branches(), variables, example, "large") == 8 * 5


class Loop(nn.Module):
    multiplies: bool

    @nn.compact
    def __call__(self, x, train: bool):
        w = self.param("w", nn.initializers.ones, (8, 8))
        step = (lambda y: y @ w) if self.multiplies else (lambda y: y + 1.0)
        return jax.lax.while_loop(lambda y: y.sum() < 100, step, x) @ w


def test_a_loop_of_unknown_length_is_refused_only_if_it_multiplies():
    example = np.zeros((1, 8), np.float32)
    variables = {"params": {"w": jnp.ones((8, 8))}}
    assert count(Shipped(Loop(False), variables), example).macs == 64
    with pytest.raises(ValueError, match="multiplies inside `while`"):
        count(Shipped(Loop(True), variables), example)


def test_only_the_shape_of_the_example_matters():
    make, example, _ = CASES["valid"]
    net = Wrap(make)
    variables = variables_of(net, example)
    assert count(Shipped(net, variables), example[:1] + 7) == count(Shipped(net, variables), example)
