"""Round to nearest: which inputs it rounds in nets as users have them, and which running statistics it leaves."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from numpy.testing import assert_allclose, assert_array_equal

from methods.base import Description, Entry, Fallback, Method, Problem, Shipped
from methods.chain import chain
from methods.flaxnet import forward, fresh, transform_inputs
from methods.pruning.magnitude import MAGNITUDE
from methods.quantization.lsq import LSQ
from methods.quantization.rtn import RTN, RTN_BN, RTN_STATIC
from methods.transforms.grids import Quantizer, fake_quant
from tasks.nets.layers.norm import BatchNorm

KEY = jax.random.key(0)


class Settled:
    """A method on a net, from `init` on, without training."""

    def __init__(self, entry, net, batches, strength, variables=None):
        x = batches[0]["x"]
        self.net, self.method = net, entry.make()
        self.before = variables or fresh(net, KEY, x)
        problem = Problem(net, x[:1], batches, lambda out, batch: jnp.mean(out), steps=0)
        self.told = []
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            _, started, state = self.method.init(KEY, problem, self.before, tuple(map(jnp.float32, strength)))
            _, self.variables, self.state = self.method.settle(KEY, problem, started, state, 1)
        self.told = [str(warning.message) for warning in caught if issubclass(warning.category, Fallback)]
        self.inputs = dict(self.method.export(self.state, Shipped(net, self.variables)).inputs)

    def out(self, x):
        variables = self.method.view(self.state, self.variables)
        return forward(self.net, variables, x, tap=self.method.tap(self.state))[0]


class Keyword(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.Dense(2, name="b")(nn.relu(nn.Dense(4, name="a")(inputs=x)))


class Side(nn.Module):
    """Its side head is always there and only used in training."""

    def setup(self):
        self.body, self.head, self.side = nn.Dense(8), nn.Dense(3), nn.Dense(3)

    def __call__(self, x, train: bool = False):
        y = nn.relu(self.body(x))
        side = self.side(y)
        return self.head(y) + (0.1 * side if train else 0.0)


class Attend(nn.Module):
    """Its embedding is only ever an output layer."""

    def setup(self):
        self.body, self.table = nn.Dense(8), nn.Embed(5, 8)

    def __call__(self, x, train: bool = False):
        return self.table.attend(nn.relu(self.body(x)))


class Pooled(nn.Module):
    """A masked mean, which is 0 / 0 where nothing is real."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        real = jnp.any(x != 0, -1)
        mean = x.sum(1) / real.sum(1, keepdims=True)
        return jnp.where(real.any(1)[:, None], nn.Dense(3, name="head")(mean), 0.0)


class Experts(nn.Module):
    """One of them is only on where the first feature is above 5."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        rare = nn.relu(x[:, :1] - 5) * x
        return nn.Dense(3, name="common")(x) + nn.Dense(3, name="rare")(rare)


class Recurrent(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.Dense(3, name="head")(nn.RNN(nn.GRUCell(8, name="cell"), name="rnn")(x)[:, -1])


LINE = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
ROWS = np.float32(np.random.default_rng(0).uniform(0.1, 1, (4, 6, 5)))
GATES = [f"cell/{gate}" for gate in ("hn", "hr", "hz", "in", "ir", "iz")]
NETS = [  # net, x, the modules whose inputs are rounded, and what the note says of the others
    (Keyword(), LINE, ["a", "b"], None),
    (Side(), LINE, ["body", "head"], "side (not seen)"),
    (Attend(), LINE, ["body", "table"], None),
    (Pooled(), ROWS * (np.arange(4) != 2)[:, None, None], [], "head (not finite)"),
    (Experts(), LINE, ["common"], "rare (all zero)"),
    (Recurrent(), ROWS, [*GATES, "head"], None),
]


@pytest.mark.parametrize(("net", "x", "rounded", "note"), NETS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("entry", [RTN_STATIC, LSQ], ids=["rtn_static", "lsq"])
def test_inputs_are_rounded_or_left_with_a_note(entry, net, x, rounded, note):
    settled = Settled(entry, net, [{"x": jnp.asarray(x)}], (8,))
    assert sorted(settled.inputs) == sorted(rounded)
    assert len(settled.told) == (note is not None)
    assert all(note in told for told in settled.told)
    assert settled.out(x).shape[0] == len(x)


def test_padding_of_weight_zero_does_not_spoil_a_range():
    x = jnp.asarray(ROWS * (np.arange(4) != 2)[:, None, None])
    settled = Settled(RTN_STATIC, Pooled(), [{"x": x, "weight": jnp.float32([1, 1, 0, 1])}], (8,))
    assert list(settled.inputs) == ["head"]
    assert settled.told == []


class Albert(nn.Module):
    """One layer used twice, for pixels from 0 to 255 and for what is normalized."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        shared, norm = nn.Dense(64, name="shared"), nn.LayerNorm(name="norm")
        y = nn.relu(shared(255 * x))
        return nn.Dense(10, name="head")(norm(y) + nn.relu(shared(norm(y))))


def test_8_bits_of_a_layer_used_twice_stay_near_dense():
    """The shared grid ends at 255. With that of the second call alone, which ends at 3, outputs are off by 0.7."""
    x = jnp.asarray(np.random.default_rng(0).uniform(0, 1, (32, 64)), jnp.float32)
    settled = Settled(RTN_STATIC, Albert(), [{"x": x}], (8,))
    (grid,) = settled.inputs["shared"]
    assert_allclose(grid.scale * (grid.high - grid.zero_point), 255 * x.max(), rtol=0.02)
    dense, _ = forward(Albert(), settled.before, x)
    assert jnp.abs(settled.out(x) - dense).mean() < 0.3 * jnp.abs(dense).mean()


class Normed(nn.Module):
    """relu(x · w), normalized, times a scale; [B, 3] -> [B, 2]."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        y = BatchNorm(name="norm")(nn.Dense(4, use_bias=False, name="dense")(x), train)
        return nn.Dense(2, name="head")(nn.relu(y))


@pytest.fixture(scope="module")
def batches():
    rng = np.random.default_rng(1)
    return [{"x": jnp.asarray(rng.normal(1, 2, (size, 3)), jnp.float32)} for size in (8, 4)]


def assert_moments(settled, y):
    """Statistics are those of `y`, and the weights are the ones that came."""
    found = settled.variables["batch_stats"]["norm"]
    assert_allclose(found["mean"], np.asarray(y).mean(0), rtol=1e-4, atol=1e-5)
    assert_allclose(found["var"], np.asarray(y).var(0), rtol=1e-4, atol=1e-5)
    jax.tree.map(assert_array_equal, settled.variables["params"], settled.before["params"])


def all_of(batches):
    return jnp.concatenate([batch["x"] for batch in batches])


def rounded(kernel, bits):
    """Each column on its own grid of 2^bits - 1 values, in NumPy."""
    step = np.maximum(np.abs(kernel).max(0), 1e-9) / (2 ** (bits - 1) - 1)  # a column may be pruned whole
    return np.round(kernel / step) * step


def test_statistics_are_those_of_rounded_weights(batches):
    settled = Settled(RTN_BN, Normed(), batches, (2,))
    assert_moments(settled, all_of(batches) @ rounded(settled.before["params"]["dense"]["kernel"], 2))


def test_statistics_are_those_of_rounded_weights_and_inputs(batches):
    settled = Settled(RTN_STATIC, Normed(), batches, (3,))
    x = fake_quant(all_of(batches), *settled.inputs["dense"])
    assert jnp.abs(x - all_of(batches)).max() > 0.1
    assert_moments(settled, x @ rounded(settled.before["params"]["dense"]["kernel"], 3))


def test_statistics_stay_where_nothing_is_rounded(batches):
    for entry in (RTN_BN, RTN_STATIC):
        settled = Settled(entry, Normed(), batches, (32,))
        jax.tree.map(assert_array_equal, settled.variables, settled.before)


def test_rtn_sees_no_data(batches):
    class Forbidden(list):
        def __iter__(self):
            raise AssertionError("calibration data are drawn")

    settled = Settled(RTN, Normed(), Forbidden(batches), (2,))
    jax.tree.map(assert_array_equal, settled.variables, settled.before)
    with pytest.raises(AssertionError, match="are drawn"):
        Settled(RTN_BN, Normed(), Forbidden(batches), (2,))


def test_without_batch_norm_it_is_rtn_bit_for_bit(mlp):
    data = [{"x": jnp.asarray(mlp.x)}]
    plain, renewed = (Settled(entry, mlp.net, data, (3,), mlp.variables) for entry in (RTN, RTN_BN))
    jax.tree.map(assert_array_equal, renewed.variables, mlp.variables)
    jax.tree.map(assert_array_equal, plain.state, renewed.state)


def test_in_a_chain_statistics_are_those_of_pruned_and_rounded_weights(batches):
    settled = Settled(chain(MAGNITUDE, RTN_BN, sweep=()), Normed(), batches, (0.5, 3))
    kernel = np.asarray(settled.before["params"]["dense"]["kernel"])
    pruned = np.where(np.abs(kernel) > np.median(np.abs(kernel)), kernel, 0)
    assert_moments(settled, all_of(batches) @ rounded(pruned, 3))


GRID = Quantizer(*map(jnp.float32, (0.5, 0, -2, 2)))  # -1, -0.5, 0, 0.5, 1


def test_in_a_chain_ranges_and_statistics_are_seen_through_taps_before(batches):
    clips = Entry(
        lambda: Method(tap=lambda state: transform_inputs({"dense": (GRID,)})),
        Description("test", (), ((),), changes=frozenset({"inputs"})),
    )
    settled = Settled(chain(clips, RTN_STATIC, sweep=()), Normed(), batches, (4,))
    assert_allclose(settled.inputs["dense"][0].scale, 2 / 15, rtol=1e-6)  # from -1 to 1
    x = fake_quant(fake_quant(all_of(batches), GRID), *settled.inputs["dense"])
    assert_moments(settled, x @ rounded(settled.before["params"]["dense"]["kernel"], 4))
