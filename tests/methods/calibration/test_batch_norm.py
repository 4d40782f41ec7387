"""Batch norm's statistics, estimated again: against NumPy, and through a whole run of a method that asks for it."""

import jax
import numpy as np
import pytest
from flax import linen as nn
from numpy.testing import assert_allclose, assert_array_equal

from methods.calibration.batch_norm import reestimate
from methods.flaxnet import fresh
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
