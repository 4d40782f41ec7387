"""The range of what enters a module, over all calibration batches; which places count, and what has no range."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax.tree_util import Partial
from numpy.testing import assert_allclose

from methods.base import Fallback
from methods.calibration.ranges import calibrate
from methods.flaxnet import fresh, transform_inputs
from methods.transforms.grids import Quantizer


def batches(x, *sizes):
    return [{"x": part} for part in np.split(x, np.cumsum(sizes)[:-1])]


@pytest.fixture(scope="module")
def uneven(mlp):
    """The examples in batches of 4, 4 and 2: the extremes in the second, the last large, so that its weight shows."""
    x = mlp.x.copy()
    x[5] = [-99, 0.1, 99]
    x[8:] *= 30
    return x, batches(x, 4, 4, 2)


@pytest.mark.parametrize("layer", ["dense1", "dense2", "head"])
def test_ranges_are_those_of_all_examples_together(mlp, uneven, layer):
    x, parts = uneven
    seen = calibrate(mlp.net, mlp.variables, parts, ["dense1", "dense2", "head"])[layer]
    expected = mlp.inputs(mlp.variables, x)[layer]
    assert_allclose(seen.minimum, expected.min(), rtol=1e-5)
    assert_allclose(seen.maximum, expected.max(), rtol=1e-5)
    assert_allclose(seen.mean_abs, np.abs(expected).mean(), rtol=1e-5)
    assert seen.features == expected.shape[1]
    by_batch = np.mean([np.abs(mlp.inputs(mlp.variables, part["x"])[layer]).mean() for part in parts])
    assert abs(seen.mean_abs - by_batch) > 0.05 * by_batch


def test_only_the_given_paths_are_observed(mlp, uneven):
    assert list(calibrate(mlp.net, mlp.variables, uneven[1], iter(["dense2"]))) == ["dense2"]


def test_calibration_without_batches_is_refused(mlp):
    with pytest.raises(ValueError, match="calibration has no batches"):
        calibrate(mlp.net, mlp.variables, [], ["dense1"])


class Tokens(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.Dense(1, use_bias=False, name="head")(nn.Embed(3, 2, name="embed")(x))


def test_integer_inputs_have_no_range():
    params = {"embed": {"embedding": jnp.float32([[1, 2], [-3, 4], [9, 9]])}, "head": {"kernel": jnp.ones((2, 1))}}
    seen = calibrate(Tokens(), {"params": params}, [{"x": np.array([[0, 1, 1]])}], ["embed", "head"])
    assert list(seen) == ["head"]
    assert_allclose(seen["head"][:4], (-3, 4, (1 + 2 + 2 * (3 + 4)) / 6, 6), rtol=1e-6)  # 3 positions of 2


class Identity(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.Dense(1, name="layer")(x)


def ranges_of(batches, **options):
    """The range of a layer that sees the net's input."""
    layer = {"kernel": jnp.ones((batches[0]["x"].shape[-1], 1)), "bias": jnp.ones(1)}
    return calibrate(Identity(), {"params": {"layer": layer}}, batches, ["layer"], **options)


PLACES = np.float32([[[1, -2], [7, 8]], [[np.nan, 100], [3, -4]]])  # 2 examples of 2 places of 2 scalars


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        ([[1, 0], [0, 0.5]], (-4, 3, (1 + 2 + 3 + 4) / 4, 2)),
        ([1, 0], (-2, 8, (1 + 2 + 7 + 8) / 4, 2)),  # one weight for each example
        ([[1, 1], [0, 0]], (-2, 8, 18 / 4, 2)),
    ],
)
def test_places_of_weight_zero_do_not_count(weight, expected):
    assert_allclose(ranges_of([{"x": PLACES, "weight": np.float32(weight)}])["layer"][:4], expected, rtol=1e-6)


@pytest.mark.parametrize("shape", [(2, 3), (3,), (2, 2, 2)])
def test_a_weight_of_other_places_does_not_count(shape):
    """(2, 2, 2) is one of each scalar, not of places of scalars."""
    x = np.nan_to_num(PLACES)
    seen = ranges_of([{"x": x, "weight": np.zeros(shape, np.float32)}])["layer"]
    assert_allclose(seen[:4], (-4, 100, (1 + 2 + 7 + 8 + 100 + 3 + 4) / 8, 4))


def test_a_weight_as_wide_as_the_features_is_no_weight_of_features():
    x = np.float32([[1, -2], [3, 4]])
    seen = ranges_of([{"x": x, "weight": np.float32([[1, 1], [0, 0]])}])["layer"]
    assert_allclose(seen[:4], (-2, 4, 2.5, 2))


@pytest.mark.parametrize(
    ("x", "reason"),
    [
        ([[1, np.nan], [1, 2]], "not finite"),
        ([[1, 2], [-np.inf, 2]], "not finite"),
        ([[3e38, 3e38], [1, 2]], "not finite"),  # their sum
        ([[0, 0], [0, -0.0]], "all zero"),
    ],
)
def test_what_has_no_range_is_left_out_with_a_note(x, reason):
    with pytest.warns(Fallback, match=re.escape(f"inputs are left as they are: layer ({reason})")):
        assert ranges_of([{"x": np.float32([[0, 0]])}, {"x": np.float32(x)}]) == {}


def test_weights_of_zero_everywhere_leave_nothing_to_see():
    with pytest.warns(Fallback, match=re.escape("layer (not seen)")):
        assert ranges_of([{"x": PLACES, "weight": np.zeros((2, 2), np.float32)}]) == {}


def test_a_module_that_is_never_called_is_named(mlp, uneven):
    with pytest.warns(Fallback, match=re.escape("inputs are left as they are: hidden (not seen)")):
        assert list(calibrate(mlp.net, mlp.variables, uneven[1], {"dense1", "hidden"})) == ["dense1"]


class Memory(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.Dense(1, name="head")(nn.RNN(nn.OptimizedLSTMCell(2, name="cell"))(x))


def test_what_a_module_ignores_is_not_seen():
    """An optimized LSTM takes its weights from modules that ignore what enters them."""
    x = np.ones((2, 3, 2), np.float32)
    variables = fresh(Memory(), jax.random.key(0), x)
    with pytest.warns(Fallback, match=re.escape("cell/hi (not seen)")):
        assert list(calibrate(Memory(), variables, [{"x": x}], ["cell/hi", "head"])) == ["head"]


def test_a_tap_changes_what_is_observed():
    halves = Quantizer(*map(jnp.float32, (0.5, 0, 0, 3)))  # the values 0, 0.5, 1, 1.5
    x = np.float32([[-1, 0.7], [0.2, 9]])
    seen = ranges_of([{"x": x}], tap=Partial(transform_inputs, {"layer": (halves,)}))["layer"]
    assert_allclose(seen[:4], (0, 1.5, (0 + 0.5 + 0 + 1.5) / 4, 2))


def test_sums_of_many_scalars_do_not_drown():
    """2^25 times 0.1, which in float32 stops growing at about 2^21; features of 16 MiB are counted exactly, too."""
    x = np.full((4, 2**21, 4), 0.1, np.float32)
    seen = ranges_of([{"x": x}])["layer"]
    assert_allclose(seen.mean_abs, np.float32(0.1), rtol=1e-4)
    assert seen.features == 2**23


def test_the_order_of_batches_does_not_matter():
    parts = [{"x": np.float32(np.random.default_rng(i).normal(size=(2, 3))) * 10.0**i} for i in range(4)]
    first, second = ranges_of(parts)["layer"], ranges_of(parts[::-1])["layer"]
    assert [np.asarray(a).tobytes() for a in first] == [np.asarray(a).tobytes() for a in second]


def test_peaks_are_of_channels_and_of_what_counts():
    first, second = (
        np.float32([[[1, -2], [3, 0.5]], [[-8, 0], [0, 7]]]),
        np.float32([[[0, 5], [0, 0]], [[0, 0], [0, 0]]]),
    )
    assert_allclose(ranges_of([{"x": first}, {"x": second}])["layer"].peaks, [8, 7])
    weight = np.float32([[1, 1], [0, 1]])  # not of the place with -8
    assert_allclose(ranges_of([{"x": first, "weight": weight}, {"x": second}])["layer"].peaks, [3, 7])
