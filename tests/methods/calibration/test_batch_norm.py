"""Batch norm's statistics, estimated again: against NumPy, for norms wherever they stand in a net."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax.tree_util import Partial
from numpy.testing import assert_allclose, assert_array_equal

from methods.base import Fallback
from methods.calibration.batch_norm import reestimate
from methods.flaxnet import fresh, transform_inputs
from methods.transforms.grids import Quantizer
from tasks.nets.layers.dropout import dropout
from tasks.nets.layers.norm import BatchNorm


class Net(nn.Module):
    """x · w, normalized; [B, 3] -> [B, 2]."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        return BatchNorm(name="norm")(nn.Dense(2, use_bias=False, name="dense")(x), train)


@pytest.fixture(scope="module")
def batches():
    rng = np.random.default_rng(0)
    return [{"x": np.float32(rng.normal(1, 2, (size, 3)))} for size in (8, 4)]


def test_population_statistics_over_batches_of_two_sizes(batches):
    """Weighted by their sizes, moments of batches are the moments of all of it."""
    variables = fresh(Net(), jax.random.key(0), batches[0]["x"])
    found = reestimate(Net(), variables, batches)
    y = np.concatenate([batch["x"] for batch in batches]) @ np.asarray(variables["params"]["dense"]["kernel"])
    assert_allclose(found["batch_stats"]["norm"]["mean"], y.mean(0), rtol=1e-4)
    assert_allclose(found["batch_stats"]["norm"]["var"], y.var(0), rtol=1e-4)
    assert_array_equal(found["params"]["dense"]["kernel"], variables["params"]["dense"]["kernel"])


def test_a_net_without_statistics_is_left_alone(mlp):
    assert reestimate(mlp.net, mlp.variables, []) is mlp.variables


def test_no_batches_is_an_error(batches):
    variables = fresh(Net(), jax.random.key(0), batches[0]["x"])
    with pytest.raises(ValueError, match="no batches"):
        reestimate(Net(), variables, [])


class Counted(nn.Module):
    """Net, and a counter of its training batches among the statistics."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        seen = self.variable("batch_stats", "batches", lambda: np.int32(0))
        if train and not self.is_initializing():
            seen.value += 1
        return Net(name="net")(x, train)


def test_a_counter_among_the_statistics_stays_as_it_is(batches):
    variables = fresh(Counted(), jax.random.key(0), batches[0]["x"])
    variables["batch_stats"]["batches"] += 7
    found = reestimate(Counted(), variables, batches)["batch_stats"]
    assert (found["batches"], found["batches"].dtype) == (7, np.int32)
    plain = {"params": variables["params"]["net"], "batch_stats": variables["batch_stats"]["net"]}
    expected = reestimate(Net(), plain, batches)["batch_stats"]["norm"]
    jax.tree.map(assert_array_equal, found["net"]["norm"], expected)


def statistics(net, batches, **options):
    """(variables of the net, what its statistics become)."""
    variables = fresh(net, jax.random.key(0), batches[0]["x"])
    return variables, reestimate(net, variables, batches, **options)["batch_stats"]


class Normalized(nn.Module):
    """Its input, as it comes: normalized, unless `frozen`."""

    momentum: float = 0.99
    frozen: bool = False

    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.BatchNorm(self.frozen or not train, momentum=self.momentum, name="norm")(x)


@pytest.mark.parametrize("momentum", [0.0, 0.9, 0.999])
def test_any_momentum_and_far_from_zero(batches, momentum):
    far = [{"x": np.float32(batch["x"] + 300)} for batch in batches]
    x = np.concatenate([batch["x"] for batch in far]).astype(np.float64)
    _, found = statistics(Normalized(momentum), far)
    assert_allclose(found["norm"]["mean"], x.mean(0), rtol=1e-4)
    assert_allclose(found["norm"]["var"], x.var(0), rtol=2e-2)  # nn.BatchNorm's own E[x²] - E[x]² is in float32


def test_a_norm_that_never_trains_keeps_its_statistics(batches):
    variables, found = statistics(Normalized(frozen=True), batches)
    jax.tree.map(assert_array_equal, found, variables["batch_stats"])


class Twice(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        norm = nn.BatchNorm(not train, momentum=0.5, name="norm")
        return norm(x) + norm(3 * x)


def test_a_norm_that_is_called_twice_averages_its_calls_as_in_training(batches):
    """m·now1 + now2 over 1 + m: at momentum 1/2 the second call has weight 2/3. The batch is one."""
    _, found = statistics(Twice(), batches[:1])
    x = batches[0]["x"]
    assert_allclose(found["norm"]["mean"], (1 / 3 + 2 / 3 * 3) * x.mean(0), rtol=1e-5)
    assert_allclose(found["norm"]["var"], (1 / 3 + 2 / 3 * 9) * x.var(0), rtol=1e-4)


class Layer(nn.Module):
    @nn.compact
    def __call__(self, x, train):
        nn.BatchNorm(not train, name="norm")(x)
        return 2 * x, None


class Scanned(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        axes = {"params": 0, "batch_stats": 0}
        layers = nn.scan(Layer, length=3, variable_axes=axes, split_rngs={"params": True}, in_axes=nn.broadcast)
        return layers(name="layers")(x, train)[0]


def test_scanned_norms_have_statistics_each(batches):
    _, found = statistics(Scanned(), batches)
    x = np.concatenate([batch["x"] for batch in batches])
    assert_allclose(found["layers"]["norm"]["mean"], [x.mean(0), 2 * x.mean(0), 4 * x.mean(0)], rtol=1e-4)
    assert_allclose(found["layers"]["norm"]["var"], [x.var(0), 4 * x.var(0), 16 * x.var(0)], rtol=1e-4)


def test_a_tap_changes_what_is_normalized(batches):
    halves = Quantizer(*map(jnp.float32, (0.5, 0, -2, 2)))  # -1, -0.5, 0, 0.5, 1
    variables, found = statistics(Net(), batches, tap=Partial(transform_inputs, {"dense": (halves,)}))
    x = np.clip(np.round(np.concatenate([batch["x"] for batch in batches]) / 0.5), -2, 2) * 0.5
    y = x @ np.asarray(variables["params"]["dense"]["kernel"])
    assert_allclose(found["norm"]["mean"], y.mean(0), rtol=1e-4)
    assert_allclose(found["norm"]["var"], y.var(0), rtol=1e-4)


class Dropped(nn.Module):
    """Drops half of its input, by Flax's module and by the suite's, before the norm."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        x = dropout(nn.Dropout(0.5, deterministic=not train)(inputs=x), 0.5, train)
        return nn.BatchNorm(not train, name="norm")(x)


def test_dropout_is_off(batches):
    _, found = statistics(Dropped(), batches)
    _, plain = statistics(Normalized(), batches)
    jax.tree.map(assert_array_equal, found, plain)


def test_what_is_not_finite_stays_with_a_note(batches):
    bad = [*batches, {"x": np.full((4, 3), np.nan, np.float32)}]
    variables = fresh(Net(), jax.random.key(0), batches[0]["x"])
    with pytest.warns(Fallback, match=re.escape("running statistics of ['norm'] stay as they were")):
        found = reestimate(Net(), variables, bad)
    jax.tree.map(assert_array_equal, found["batch_stats"], variables["batch_stats"])
