"""What `watch` notes: what modules return, in every way to call them; the net is what it is without it."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from numpy.testing import assert_allclose, assert_array_equal

from methods.flaxnet import compose, forward, fresh, observed, transform_inputs, watch
from methods.transforms.grids import Quantizer
from tasks.nets.layers.norm import BatchNorm
from tests.methods.calibration.kinds import KINDS, X

KEY = jax.random.key(0)
NOTED = ("shared", "remat", "jit", "branch", "keyword", "swapped")


@partial(jax.jit, static_argnums=(0, 1))
def run(net, tap, variables, x=X):
    return observed(net, variables, x, tap=tap)


def dense(layer, x):
    return np.asarray(x) @ np.asarray(layer["kernel"]) + np.asarray(layer["bias"])


@pytest.mark.parametrize("name", NOTED)
def test_the_last_call_of_a_module_is_noted(name):
    """Each of these nets is its layer "d", but that of `branch` and `shared`, which prepare what enters it."""
    net = KINDS[name].net
    variables = fresh(net, KEY, X)
    out, _, watched = run(net, watch("d"), variables)
    assert list(watched) == ["d"]
    assert_array_equal(watched["d"], out)
    assert_array_equal(out, run(net, None, variables)[0])
    if name in ("remat", "jit", "keyword"):
        assert_allclose(watched["d"], dense(variables["params"]["d"], X), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["recurrent", "scanned", "experts"])
def test_calls_within_a_loop_are_not_noted_and_those_around_it_are(name):
    net = KINDS[name].net
    variables = fresh(net, KEY, X)
    out, _, watched = run(net, watch(".*"), variables)
    assert set(watched) == ({"", "rnn"} if name == "recurrent" else {""})
    for noted in watched.values():
        assert_array_equal(noted, out)
    assert_array_equal(out, run(net, None, variables)[0])


def test_what_attend_returns_is_not_noted():
    variables = fresh(KINDS["tied"].net, KEY, X)
    watched = run(KINDS["tied"].net, watch("d"), variables)[2]
    assert_array_equal(watched["d"], variables["params"]["d"]["embedding"][:4])


@pytest.mark.parametrize(
    ("pattern", "paths"), [("dense.", {"dense1", "dense2"}), ("dense", set()), ("head|x", {"head"})]
)
def test_a_pattern_matches_the_whole_path(mlp, pattern, paths):
    assert set(run(mlp.net, watch(pattern), mlp.variables, mlp.x)[2]) == paths


def test_values_are_those_of_numpy(mlp):
    watched = run(mlp.net, watch(".*"), mlp.variables, mlp.x)[2]
    inputs = mlp.inputs(mlp.variables, mlp.x)
    assert_allclose(np.maximum(watched["dense1"], 0), inputs["dense2"], rtol=1e-5)
    assert_allclose(watched["dense2"], dense(mlp.variables["params"]["dense2"], inputs["dense2"]), rtol=1e-5)
    assert_allclose(watched["head"], inputs["out"], rtol=1e-5)


def test_gradients_flow_into_what_is_noted(mlp):
    """Σ of the first layer's outputs: its bias gets one for each example, its kernel Σ of the inputs, others none."""

    def total(variables):
        return observed(mlp.net, variables, mlp.x, tap=watch("dense1"))[2]["dense1"].sum()

    slope = jax.grad(total)(mlp.variables)["params"]
    assert_allclose(slope["dense1"]["bias"], np.full(4, 10.0), rtol=1e-6)
    assert_allclose(slope["dense1"]["kernel"], np.repeat(mlp.x.sum(0)[:, None], 4, 1), rtol=1e-5)
    assert not any(np.any(leaf) for name in ("dense2", "head") for leaf in slope[name].values())


class Normed(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.Dense(2, name="head")(BatchNorm(name="norm")(nn.Dense(5, name="d")(x), train))


def test_training_renews_statistics_as_without_a_watch():
    """One that does not train gives the statistics back as they are; what is noted is in neither."""
    variables = fresh(Normed(), KEY, X)
    for train in (True, False):
        plain = forward(Normed(), variables, X, train=train)
        out, renewed, watched = observed(Normed(), variables, X, tap=watch("norm"), train=train)
        assert jax.tree.structure(renewed) == jax.tree.structure(variables)
        jax.tree.map(assert_array_equal, (out, renewed), plain)
        assert_allclose(dense(variables["params"]["head"], watched["norm"]), out, rtol=1e-5, atol=1e-5)
    before, after = variables["batch_stats"]["norm"], plain[1]["batch_stats"]["norm"]
    assert_array_equal(before["mean"], after["mean"])


class Clashing(nn.Module):
    """Has a module, a weight, a collection and notes of its own under names that a watch might use."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        weight = self.param("out", nn.initializers.ones, (3,))
        count = self.variable("watched", "count", jnp.zeros, ())
        if train and not self.is_initializing():
            count.value += 1
        self.sow("intermediates", "watched", x)
        return nn.Dense(3, name="watched")(x * weight) + nn.Dense(3, name="a/b")(x)


def test_names_of_the_net_do_not_clash_with_the_note():
    variables = fresh(Clashing(), KEY, X)
    out, renewed, watched = observed(Clashing(), variables, X, tap=watch(".*"), train=True)
    assert set(watched) == {"", "watched", "a%2Fb"}
    assert_array_equal(watched["watched"] + watched["a%2Fb"], out)
    assert renewed["watched"]["count"] == 1
    assert set(renewed) == set(variables) == {"params", "watched"}


class Trees(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        return {"logits": {"main": nn.Dense(2, name="d")(x)}, "length": x.shape[1]}


def test_a_module_may_return_a_tree():
    variables = fresh(Trees(), KEY, X)
    out, _, watched = observed(Trees(), variables, X, tap=watch(".*"))
    assert watched.keys() == {"", "d"}
    jax.tree.map(assert_array_equal, watched[""], out)
    assert_array_equal(watched["d"], out["logits"]["main"])


def test_two_watches_and_a_rounding_tap_in_a_chain(mlp):
    """Both note, the one also what the other notes; what is noted is what runs: here the head's input is zeros."""
    zero = Quantizer(*map(jnp.float32, (1e9, 0, -1, 1)))
    tap = compose([watch("dense1"), transform_inputs({"head": (zero,)}), watch("dense1|head")])
    watched = run(mlp.net, tap, mlp.variables, mlp.x)[2]
    assert set(watched) == {"dense1", "head"}
    assert_allclose(watched["dense1"], dense(mlp.variables["params"]["dense1"], mlp.x), rtol=1e-5)
    assert_allclose(watched["head"], np.tile(mlp.variables["params"]["head"]["bias"], (10, 1)), rtol=1e-6)


def test_a_net_that_jits_itself_is_traced_again_for_each_watch():
    """The cache of `nn.jit` outlives a forward: one without a watch, and one of another, leave nothing behind."""
    net, variables = KINDS["jit"].net, fresh(KINDS["jit"].net, KEY, X)
    taps = (None, watch("d"), None, watch("other"), watch("d"))
    found = [set(observed(net, variables, X, tap=tap)[2]) for tap in taps]
    assert found == [set(), {"d"}, set(), set(), {"d"}]


def test_no_tap_notes_nothing_and_a_vectorized_net_notes_every_example(mlp):
    assert observed(mlp.net, mlp.variables, mlp.x)[2] == {}
    single = jax.vmap(lambda x: observed(mlp.net, mlp.variables, x[None], tap=watch("head"))[2]["head"][0])(mlp.x)
    assert_allclose(single, mlp.inputs(mlp.variables, mlp.x)["out"], rtol=1e-5)


class Branches(nn.Module):
    """Runs another layer where the input is negative."""

    def setup(self):
        self.a, self.b = nn.Dense(3), nn.Dense(3)

    def __call__(self, x, train: bool = False):
        if self.is_initializing():
            self.a(x)
            return self.b(x)
        return nn.cond(x.sum() > 0, lambda m, x: m.a(x), lambda m, x: m.b(x), self, x)


def test_a_module_that_one_branch_calls_is_refused():
    variables = fresh(Branches(), KEY, X)
    assert_array_equal(observed(Branches(), variables, X, tap=watch("c"))[0], forward(Branches(), variables, X)[0])
    with pytest.raises(TypeError, match="cond branch outputs must have the same pytree structure"):
        observed(Branches(), variables, X, tap=watch("a"))
