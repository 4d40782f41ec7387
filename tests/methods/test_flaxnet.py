"""Nets as users have them: random streams of any name, collections that are no state, several inputs; and taps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from numpy.testing import assert_allclose

from methods.flaxnet import batch_size, first_example, forward, fresh, tap_inputs, transform_inputs
from methods.transforms.divisions import Divide
from methods.transforms.grids import Quantizer

X = jnp.ones((4, 8))
KEY = jax.random.key(7)


class Drops(nn.Module):
    """Drops half of its input by one random stream, then by another."""

    streams: tuple[str, ...]

    @nn.compact
    def __call__(self, x, train: bool = False):
        return [nn.Dropout(0.5, rng_collection=name, deterministic=not train)(x) for name in self.streams]


def test_dropout_draws_from_the_key_itself():
    (out,) = forward(Drops(("dropout",)), {}, X, train=True, key=KEY)[0]
    (expected,) = Drops(("dropout",)).apply({}, X, train=True, rngs={"dropout": KEY})
    np.testing.assert_array_equal(out, expected)


def test_streams_of_any_name_draw_masks_of_their_own():
    streams = ("dropout", "drop_path", "noise")
    outs = forward(Drops(streams), {}, X, train=True, key=KEY)[0]
    np.testing.assert_array_equal(outs[0], forward(Drops(("dropout",)), {}, X, train=True, key=KEY)[0][0])
    assert {float(value) for out in outs for value in jnp.unique(out)} == {0.0, 2.0}
    assert len({np.asarray(out).tobytes() for out in outs}) == 3
    again = forward(Drops(streams), {}, X, train=True, key=jax.random.key(8))[0]
    assert all((a != b).any() for a, b in zip(outs, again, strict=True))


class Busy(nn.Module):
    """Has state (a norm, a counter) and writes what it never reads: losses, one list and one that replaces."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        seen = self.variable("batch_stats", "batches", lambda: jnp.zeros((), jnp.int32))
        if train and not self.is_initializing():
            seen.value += 1
        self.sow("losses", "balance", x.mean())
        self.sow("last", "mean", x.mean(), init_fn=lambda: 0.0, reduce_fn=lambda old, new: new)
        self.sow("intermediates", "input", x)
        return self.perturb("gradient", nn.BatchNorm(use_running_average=not train, name="norm")(x))


def test_collections_that_are_only_written_are_no_state():
    assert set(Busy().init(KEY, X)) == {"params", "batch_stats", "losses", "last", "perturbations"}
    variables = fresh(Busy(), KEY, X)
    assert set(variables) == {"params", "batch_stats"}
    for batches in (1, 2):
        _, renewed = forward(Busy(), variables, X, train=True, key=KEY)
        assert jax.tree.structure(renewed) == jax.tree.structure(variables)
        variables = renewed
        assert variables["batch_stats"]["batches"].dtype == jnp.int32
        assert variables["batch_stats"]["batches"] == batches


def test_examples_of_inputs_of_several_arrays():
    x = {"image": jnp.ones((5, 8, 8)), "meta": (jnp.arange(5), jnp.ones((5, 3)))}
    assert batch_size(x) == batch_size(x["image"]) == 5
    one = first_example(x)
    assert jax.tree.map(jnp.shape, one) == {"image": (1, 8, 8), "meta": ((1,), (1, 3))}
    assert one["meta"][0] == 0
    assert first_example(X).shape == (1, 8)


def test_inputs_are_rounded_in_their_module_only(mlp):
    quantizer = Quantizer(*map(jnp.float32, (0.5, 0, 0, 3)))  # the values 0, 0.5, 1, 1.5

    def rounded(name, x):
        return np.float32(np.clip(np.round(x / 0.5), 0, 3) * 0.5) if name == "dense2" else x

    expected = mlp.inputs(mlp.variables, mlp.x, rounded)["out"]
    out, _ = forward(mlp.net, mlp.variables, mlp.x, tap=transform_inputs({"dense2": (quantizer,)}))
    assert_allclose(out, expected, rtol=1e-5, atol=1e-5)
    assert not np.allclose(expected, mlp.inputs(mlp.variables, mlp.x)["out"], atol=0.1)


class Sum(nn.Module):
    def __call__(self, a, b, c=0):
        return a + 10 * b + 100 * c


class Calls(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        one = Sum(name="sum")
        return jnp.stack([one(x, x), one(x, b=x), one(b=x, a=x), one(c=x, a=x, b=x), one(x, 1)])


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["sum"], [12, 12, 12, 112, 12]),
        (["sum:1"], [21, 21, 21, 121, 11]),
        (["sum", "sum:1"], [22, 22, 22, 122, 12]),
        (["other", "sum:2"], [11, 11, 11, 111, 11]),
    ],
)
def test_arguments_are_tapped_by_their_place(keys, expected):
    out, _ = forward(Calls(), {}, jnp.ones(()), tap=tap_inputs(lambda key, x: 2 * x, keys))
    np.testing.assert_array_equal(out, expected)


def test_transforms_follow_one_another_and_integers_pass():
    halve, less = Divide(jnp.float32(2)), Divide(jnp.float32(4))
    tap = transform_inputs({"sum": (halve, less), "sum:1": (halve,)})
    np.testing.assert_array_equal(forward(Calls(), {}, jnp.ones(()), tap=tap)[0][0], 1 / 8 + 5)
    np.testing.assert_array_equal(forward(Calls(), {}, jnp.ones((), int), tap=tap)[0][0], 11)
    assert transform_inputs({}) is None
