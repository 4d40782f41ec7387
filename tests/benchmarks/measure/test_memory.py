"""Memory by hand: weights as they ship, and the most that lives at once."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from benchmarks.measure.forward import compile_forward
from benchmarks.measure.memory import activations, compiled_memory, memory, weights
from methods.arrays.blocks import Blocks
from methods.base import Shipped
from methods.transforms.divisions import Divide
from methods.transforms.grids import Quantizer, affine, symmetric
from methods.transforms.microscaling import Microscaled
from tasks.nets.convnet import ConvNet, lenet5
from tasks.nets.layers.conv import depthwise
from tasks.nets.mlp import MLP
from tests.benchmarks.measure.nets import X, net


def shipped(of, x, inputs=None):
    shapes = jax.eval_shape(lambda: of.init(jax.random.key(0), x, train=False))
    return Shipped(of, jax.tree.map(lambda s: np.zeros(s.shape, s.dtype), shapes), inputs or {})


def grid(bits):
    return (affine(jnp.float32(0), jnp.float32(1), bits),)


class Wrap(nn.Module):
    """Any function of modules and x as a net."""

    make: object

    @nn.compact
    def __call__(self, x, train: bool = False):
        return self.make(x)


def live(make, x, inputs=None):
    of = Wrap(make)
    return activations(shipped(of, x, inputs), x)


PERCEPTRON = MLP(8, (4,), 2), np.zeros((3, 8), np.float32)
"""Input 3 × 8, hidden 3 × 4, output 3 × 2."""


def test_a_perceptron_by_hand():
    of, x = PERCEPTRON
    assert activations(shipped(of, x), x) == 4 * (3 * 8 + 3 * 4)  # bias and ReLU are done on the way
    assert weights(shipped(of, x).variables) == 4 * (8 * 4 + 4 + 4 * 2 + 2)
    assert memory(shipped(of, x), x) == 4 * (36 + 46)


@pytest.mark.parametrize(
    ("bits", "bytes_"),
    [
        ({"dense1": 8, "head": 8}, max(24 + 12, 12 + 4 * 6)),  # of the output 3 × 2 float
        ({"dense1": 4, "head": 4}, max(12 + 6, 6 + 4 * 6)),
        ({"head": 8}, 4 * 24 + 12),  # float input, hidden values rounded as they are made
        ({"dense1": 8}, 24 + 4 * 12),
        ({"dense1": 2, "head": 2}, max(6 + 3, 3 + 24)),
    ],
)
def test_rounded_inputs_live_at_their_bits(bits, bytes_):
    of, x = PERCEPTRON
    assert activations(shipped(of, x, {path: grid(b) for path, b in bits.items()}), x) == bytes_


def test_what_rounds_says_at_which_bits_values_live():
    """The last transform that sets bits does; one on the way costs nothing, and a rotation is an operation."""
    of, x = PERCEPTRON
    mx, halve = Microscaled("e2m1", Blocks((-1,), 32)), Divide(jnp.float32(2))
    assert activations(shipped(of, x, {"dense1": (mx,), "head": (mx,)}), x) == max(12 + 6, 6 + 4 * 6)
    assert activations(shipped(of, x, {"head": (halve, mx)}), x) == 4 * 24 + 6
    assert activations(shipped(of, x, {"head": (halve,)}), x) == 4 * (24 + 12)
    assert activations(shipped(of, x, {"head": (*grid(8), *grid(2), halve)}), x) == 4 * 24 + 3


def test_packed_weights_are_counted_part_by_part():
    """Codes of 4 bits, a scale of 8 bits for each 32 of 40, and for each of 3 columns."""
    weight = jnp.ones((40, 3))
    packed = Microscaled("e2m1", Blocks((0,), 32)).pack(weight)
    assert weights({"params": {"w": packed}}) == 60 + 2 * 3
    grids = Quantizer(jnp.ones((2, 3)), jnp.zeros((2, 3)), jnp.float32(-3), jnp.float32(3), Blocks((0,), 32))
    assert weights({"params": {"w": grids.pack(weight)}}) == 45 + 2 * 4 * 6


def test_weights_are_counted_as_they_ship():
    kernel = jnp.linspace(-1, 1, 35).reshape(7, 5)
    packed = symmetric(kernel, 3, (-1,)).pack(kernel)
    assert weights({"params": {"kernel": packed, "bias": jnp.zeros(5)}}) == 14 + 2 * 4 * 5 + 4 * 5  # ⌈105 / 8⌉ of codes
    assert weights({"params": {"kernel": kernel.at[:6].set(0)}}) == 4 * 35  # a masked float is a float
    assert (
        weights({"params": {"kernel": kernel.astype(jnp.bfloat16)}, "batch_stats": {"mean": jnp.zeros(5)}}) == 70 + 20
    )


def test_a_conv_net_by_hand():
    """6 × 6 × 1 -> conv 6 × 6 × 4, pool 3 × 3 × 4 -> head."""
    of = Wrap(lambda x: nn.Dense(2)(nn.max_pool(nn.relu(nn.Conv(4, (3, 3))(x)), (2, 2), (2, 2)).reshape(len(x), -1)))
    x = np.zeros((5, 6, 6, 1), np.float32)
    assert activations(shipped(of, x), x) == 4 * 5 * (6 * 6 * 4 + 3 * 3 * 4)  # at the pool


def test_lenet5_by_hand_and_fewer_channels_take_less():
    x = np.zeros((500, 28, 28, 1), np.float32)
    channels = (20, 50), (18, 44), (16, 40), (15, 38), (12, 30), (10, 25)
    taken = [activations(shipped(lenet5().clone(channels=pair), x), x) for pair in channels]
    assert taken == [
        4 * 500 * first * (24 * 24 + 12 * 12) for first, _ in channels
    ]  # the first convolution and its pool
    assert all(memory(shipped(lenet5().clone(channels=c), x), x) > 0 for c in channels[:1])


@pytest.mark.parametrize("bits", [2, 4, 8, 16])
def test_rounding_never_takes_more_than_float(bits):
    of, x = ConvNet(side=8, channels=(4, 4), hidden=8, classes=3), np.zeros((5, 8, 8, 1), np.float32)
    plain = shipped(of, x)
    modules = list(plain.variables["params"])
    assert activations(shipped(of, x, {path: grid(bits) for path in modules}), x) < activations(plain, x)


B = np.zeros((2, 4, 4, 8), np.float32)
SIZE = B.nbytes
RULES = {  # net, bytes by hand in multiples of its input's
    "the input is the output": (lambda x: x, 1),
    "elementwise work in the input's place": (lambda x: nn.relu(2 * x + 1), 1),
    "views are free": (lambda x: x.reshape(2, -1)[:, None].transpose(2, 0, 1), 1),
    "a shortcut waits": (lambda x: x + nn.relu(nn.Conv(8, (1, 1))(x)), 2),
    "behind a second layer": (lambda x: x + nn.Conv(8, (1, 1))(nn.relu(nn.Conv(8, (1, 1))(x))), 3),
    "two readers of a chain": (lambda x: nn.gelu(nn.Conv(8, (1, 1))(x)), 2),
    "gone after its last reader": (lambda x: nn.Conv(8, (1, 1))(nn.Conv(8, (1, 1))(nn.Conv(8, (1, 1))(x))), 2),
    "norms by running averages": (lambda x: nn.BatchNorm(True)(nn.Conv(8, (1, 1))(x)), 2),
    "made of weights alone": (lambda x: x + jnp.tanh(nn.Dense(8)(jnp.ones((4, 4, 64)))), 1),
    "squares on the way to their sum": (lambda x: jnp.square(x).sum((1, 2, 3), keepdims=True) * x, 2 + 8 / SIZE),
    "a call is what it calls": (lambda x: jax.jit(nn.relu)(jax.checkpoint(nn.relu)(x)), 1),
    "the default branch of a platform": (lambda x: depthwise(x, jnp.ones((3, 3, 1, 8))), 2),
    "half the bits, of the input too": (lambda x: nn.Dense(8, dtype=jnp.bfloat16)(x), 1),
}


@pytest.mark.parametrize("rule", RULES)
def test_what_lives_at_once(rule):
    make, expected = RULES[rule]
    assert live(make, B) == expected * SIZE


def test_a_loop_holds_what_it_reads_and_makes_and_one_body():
    """Ten steps on [4, 8] that carry h [4, 16]; the body makes h · W, the next h, and its copy for the outputs."""

    def make(x):
        w, u = jnp.ones((8, 16)), jnp.ones((16, 16))

        def step(h, row):
            h = jnp.tanh(row @ w + h @ u)
            return h, h

        return jax.lax.scan(step, x[0] @ w, x)[1]

    h = 4 * 4 * 16
    x = np.zeros((10, 4, 8), np.float32)
    # inputs; the first h; results: the last h and all ten; in the body: h that is carried, row · W
    assert live(make, x) == x.nbytes + h + (h + 10 * h) + 2 * h


def test_a_branch_counts_by_the_one_that_holds_most():
    def make(x):
        more = lambda x: (x @ jnp.ones((8, 64))) @ jnp.ones((64, 8))  # noqa: E731
        return jax.lax.cond(x.sum() > 0, more, lambda x: x, x)

    x = np.zeros((2, 8), np.float32)
    assert live(make, x) == 4 * (16 + 16 + 2 * 64 + 1)  # input, output, hidden, and which


def test_scanned_layers_are_weights():
    class Layer(nn.Module):
        @nn.compact
        def __call__(self, x, _):
            return nn.relu(nn.Dense(8)(x)), None

    layers = nn.scan(Layer, variable_axes={"params": 0}, split_rngs={"params": True}, length=3)
    x = np.zeros((5, 8), np.float32)
    assert live(lambda x: layers()(x, None)[0], x) == 3 * x.nbytes  # input, output, and what is carried


def test_what_the_compiler_says_by_hand():
    program = compile_forward(net(), X).compiled
    floats = 8 * 4 + 4 + 3 * 8 + 3 * 4  # kernel, bias, input, output
    assert 4 * floats <= compiled_memory(program) <= 4 * floats + 4 * 3 * 4 + 64  # and at most one temporary


def test_other_grids_are_other_programs():
    of, x = PERCEPTRON
    eight, four = (shipped(of, x, {"head": grid(bits)}) for bits in (8, 4))
    assert activations(eight, x) - activations(four, x) == 6
