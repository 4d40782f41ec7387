"""Weights visited layer by layer: what enters each, in the net as it has become, in every way to call a layer."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax.tree_util import Partial
from numpy.testing import assert_allclose, assert_array_equal

from methods.base import Fallback, Problem
from methods.calibration.stages import visit
from methods.flaxnet import fresh, tap_inputs
from methods.paths import flatten
from tasks.nets.layers.conv import Depthwise
from tests.methods.calibration.kinds import KINDS, X


class Batches(list):
    """Batches that count the passes over them."""

    passes = 0

    def __iter__(self):
        self.passes += 1
        return super().__iter__()


def problem_of(net, *batches, **facts):
    batches = Batches(batch if isinstance(batch, dict) else {"x": batch} for batch in batches)
    return Problem(net, batches[0]["x"][:1], batches, lambda out, batch: jnp.mean(out), 0, **facts)


def visited(problem, variables, paths, change=lambda weight: weight, **options):
    """({path: its layers}, {path: the weight after it}), in order."""
    layers = {}

    def note(path, weight, found):
        layers[path] = found
        return change(weight)

    return layers, visit(problem, variables, paths, note, **options)


def mean_outer(*calls):
    """Mean of x xᵀ over all rows, float64."""
    rows = np.concatenate([np.float64(call).reshape(-1, call.shape[-1]) for call in calls])
    return rows.T @ rows / len(rows)


class TestPerceptron:
    PATHS = ("dense1/kernel", "dense2/kernel", "head/kernel")

    def test_each_layer_is_given_what_those_before_give_that_have_changed(self, mlp):
        problem = problem_of(mlp.net, mlp.x[:6], mlp.x[6:])
        layers, weights = visited(problem, mlp.variables, reversed(self.PATHS), lambda weight: weight * 0.5)
        assert tuple(layers) == self.PATHS
        halves = {name: {**layer, "kernel": 0.5 * layer["kernel"]} for name, layer in mlp.variables["params"].items()}
        inputs = mlp.inputs({"params": halves}, mlp.x)
        for path in self.PATHS:
            name = path.partition("/")[0]
            ((places, gram, examples),) = layers[path]
            assert_array_equal(places[0].ravel(), np.arange(weights[path].size))
            assert_allclose(gram.own[0], mean_outer(inputs[name]), rtol=1e-5)
            assert_array_equal(gram.cross, gram.own)
            assert examples == 10
            assert_array_equal(weights[path], halves[name]["kernel"])
        assert problem.calibration.passes == 1

    def test_the_net_as_it_was_runs_in_step(self, mlp):
        layers, _ = visited(
            problem_of(mlp.net, mlp.x[:6], mlp.x[6:]), mlp.variables, self.PATHS, lambda w: w * 0.5, beside=True
        )
        halves = {name: {**layer, "kernel": 0.5 * layer["kernel"]} for name, layer in mlp.variables["params"].items()}
        now, before = (mlp.inputs({"params": p}, mlp.x)["head"] for p in (halves, mlp.variables["params"]))
        ((_, gram, _),) = layers["head/kernel"]
        assert_allclose(gram.own[0], mean_outer(now), rtol=1e-5)
        assert_allclose(gram.cross[0], np.float64(now).T @ np.float64(before) / len(now), rtol=1e-4)

    def test_places_of_weight_0_do_not_count(self, mlp):
        weight = np.float32([1, 0, 1, 1, 0])
        batch = {"x": mlp.x[:5], "weight": weight}
        layers, _ = visited(problem_of(mlp.net, batch), mlp.variables, self.PATHS)
        ((_, gram, _),) = layers["dense2/kernel"]
        assert_allclose(gram.own[0], mean_outer(mlp.inputs(mlp.variables, mlp.x[:5])["dense2"][weight > 0]), rtol=1e-5)

    def test_what_a_tap_changes_enters(self, mlp):
        double = Partial(lambda: tap_inputs(lambda path, x: 2 * x, ["dense1"]))
        layers, _ = visited(problem_of(mlp.net, mlp.x, tap=double), mlp.variables, ["dense1/kernel"])
        ((_, gram, _),) = layers["dense1/kernel"]
        assert_allclose(gram.own[0], mean_outer(2 * mlp.x), rtol=1e-5)

    def test_without_batches_it_is_refused(self, mlp):
        problem = problem_of(mlp.net, mlp.x)._replace(calibration=[])
        with pytest.raises(ValueError, match="calibration has no batches"):
            visited(problem, mlp.variables, self.PATHS)


@pytest.mark.parametrize("name", KINDS)
def test_all_calls_of_a_layer_count(name):
    kind = KINDS[name]
    variables = fresh(kind.net, jax.random.key(0), X)
    path = next(p for p in flatten(variables["params"]) if p.startswith(f"{kind.path}/") and not p.endswith("bias"))
    weight = flatten(variables["params"])[path]
    layers, _ = visited(problem_of(kind.net, X[:2], X[2:]), variables, [path])
    scale = 1000 if name == "swapped" else 1  # by which this one's module multiplies what enters it
    calls = [scale * call.reshape(-1, call.shape[-1]) for call in kind.inputs(variables["params"])]
    found = [(h, places) for layer in layers[path] for h, places in zip(layer.gram.own, layer.places, strict=True)]
    assert sorted(np.concatenate([places.ravel() for _, places in found])) == list(range(weight.size))
    expected = [mean_outer(call) for call in calls] if name in ("experts", "scanned") else [mean_outer(*calls)]
    for (h, _), mean in zip(found, expected, strict=True):
        assert_allclose(h, mean, rtol=1e-4)


class Odd(nn.Module):
    """Weights that are used in other ways than layers use them."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        scaled = self.param("scaled", nn.initializers.normal(), (3, 4))
        split = self.param("split", nn.initializers.normal(), (3, 4))
        both = self.param("both", nn.initializers.normal(), (3, 3))
        y = nn.relu(x @ (2 * scaled) + (x[..., :2] @ split[:2]) * (x[..., 2:] @ split[2:]))
        return y, nn.Embed(5, 4, name="table")(jnp.arange(3)), x @ both @ both.T


@pytest.fixture(scope="module")
def odd():
    return fresh(Odd(), jax.random.key(0), X)


def test_a_weight_that_cannot_be_followed_has_no_layer_and_that_is_said(odd):
    with pytest.warns(Fallback, match="what scaled is multiplied with is not looked at: it cannot be followed"):
        layers, weights = visited(problem_of(Odd(), X), odd, ["scaled"])
    assert layers == {"scaled": []}
    assert_array_equal(weights["scaled"], odd["params"]["scaled"])


def test_uses_that_contradict_each_other_are_none_and_that_is_said(odd):
    with pytest.warns(Fallback, match="both is multiplied with is not looked at: its uses contradict each other"):
        layers, _ = visited(problem_of(Odd(), X), odd, ["both"])
    assert layers == {"both": []}


def test_a_table_that_is_looked_up_has_no_layer(odd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        layers, _ = visited(problem_of(Odd(), X), odd, ["table/embedding"])
    assert layers == {"table/embedding": []}


def test_parts_of_a_weight_have_layers_of_their_own(odd):
    layers, _ = visited(problem_of(Odd(), X), odd, ["split"])
    first, second = layers["split"]
    assert_array_equal(first.places[0], np.arange(8).reshape(2, 4))
    assert_array_equal(second.places[0], np.arange(8, 12).reshape(1, 4))
    assert_allclose(first.gram.own[0], mean_outer(X[..., :2]), rtol=1e-5)
    assert_allclose(second.gram.own[0], mean_outer(X[..., 2:]), rtol=1e-5)


def test_what_is_not_finite_is_of_no_use(mlp):
    with pytest.warns(Fallback, match="dense1/kernel is multiplied with is not looked at: it is not finite"):
        layers, _ = visited(problem_of(mlp.net, np.float32(np.inf) * mlp.x), mlp.variables, ["dense1/kernel"])
    assert layers == {"dense1/kernel": []}


class Separable(nn.Module):
    """A depthwise convolution of 2 × 1 places, without padding, and a dense layer."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.Dense(2, name="head")(Depthwise((2, 1), padding="VALID", name="depthwise")(x))


@pytest.fixture(scope="module")
def separable():
    """(problem, variables, pairs of rows that each of the 2 channels sees)."""
    x = np.float32(np.random.default_rng(0).normal(size=(2, 3, 1, 2)))
    pairs = [np.stack([x[:, :2, 0, c], x[:, 1:, 0, c]], -1) for c in (0, 1)]
    return problem_of(Separable(), x), fresh(Separable(), jax.random.key(0), x), pairs


def test_a_depthwise_layer_has_a_gram_matrix_for_each_channel(separable):
    problem, variables, pairs = separable
    ((places, gram, _),) = visited(problem, variables, ["depthwise/kernel"])[0]["depthwise/kernel"]
    assert_array_equal(places[..., 0], [[0, 2], [1, 3]])
    for h, pair in zip(gram.own, pairs, strict=True):
        assert_allclose(h, mean_outer(pair), rtol=1e-5)


def test_layers_that_are_not_visited_run_too(separable):
    problem, variables, pairs = separable
    kernel = np.asarray(variables["params"]["depthwise"]["kernel"])
    enters = np.stack([pair @ kernel[:, 0, 0, c] for c, pair in enumerate(pairs)], -1)
    ((_, gram, _),) = visited(problem, variables, ["head/kernel"])[0]["head/kernel"]
    assert_allclose(gram.own[0], mean_outer(enters), rtol=1e-5)


class Attention(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.MultiHeadDotProductAttention(3, name="a")(x, x)


def test_query_key_and_value_share_a_gram_matrix():
    variables = fresh(Attention(), jax.random.key(0), X)
    paths = [path for path in flatten(variables["params"]) if path.endswith("kernel")]
    layers, _ = visited(problem_of(Attention(), X[:2], X[2:]), variables, paths)
    query, key, value, out = (layers[f"a/{name}/kernel"][0] for name in ("query", "key", "value", "out"))
    assert query.gram is key.gram is value.gram
    assert_allclose(query.gram.own[0], mean_outer(X), rtol=1e-5)
    assert query.places.shape == out.places.shape == (1, 3, 3)
