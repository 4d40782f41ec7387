"""SNIP: the gradient on calibration data against backpropagation in NumPy, and the masks that follow from it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from methods.base import Problem, Shipped
from methods.calibration.gradients import mean_gradient
from methods.flaxnet import tap_inputs
from methods.paths import flatten, select
from methods.pruning.random_weights import random_fixed
from methods.pruning.snip import sensitivities, snip

Y = np.array([0, 1, 1, 0, 1, 0, 0, 1, 1, 0])


def loss(out, batch):
    """Mean cross-entropy."""
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(out), batch["y"][:, None], axis=1))


def batches(mlp):
    """Of 7 and of 3 examples: each example counts once."""
    return [{"x": mlp.x[:7], "y": Y[:7]}, {"x": mlp.x[7:], "y": Y[7:]}]


def by_backpropagation(mlp, scale=1.0):
    """{path: ∂L/∂kernel} in float64; all layers' inputs are multiplied by `scale`."""
    seen = mlp.inputs(mlp.variables, mlp.x, lambda name, x: scale * x)
    seen = {name: np.asarray(x, np.float64) for name, x in seen.items()}
    p = np.exp(seen["out"]) / np.exp(seen["out"]).sum(1, keepdims=True)
    delta, slopes = (p - np.eye(2)[Y]) / len(Y), {}
    for name in ("head", "dense2", "dense1"):
        slopes[f"{name}/kernel"] = scale * seen[name].T @ delta
        delta = scale * delta @ np.asarray(mlp.variables["params"][name]["kernel"]).T * (seen[name] > 0)
    return slopes


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_the_gradient_is_that_of_backpropagation_over_all_examples(mlp, scale):
    def tap():
        return tap_inputs(lambda path, x: scale * x, ("dense1", "dense2", "head"))

    found = mean_gradient(
        mlp.net, mlp.variables, batches(mlp), loss, None if scale == 1 else jax.tree_util.Partial(tap)
    )
    for path, slope in by_backpropagation(mlp, scale).items():
        assert_allclose(flatten(found)[path], slope, rtol=1e-4, atol=1e-7)


def test_a_gradient_without_batches_is_refused(mlp):
    with pytest.raises(ValueError, match=r"^calibration has no batches"):
        mean_gradient(mlp.net, mlp.variables, [], loss)


def prepared(mlp, method, sparsity, copied=None):
    problem = Problem(mlp.net, mlp.x[:1], batches(mlp), loss, 6, copied=copied)
    return method.init(jax.random.key(0), problem, mlp.variables, (jnp.float32(sparsity),))


def test_the_weights_on_which_the_loss_depends_most_are_kept_over_all_layers(mlp):
    """Half of 42 weights are kept; the floor of a tenth of the density, 1, 1 and 1, does not bind."""
    weights = {path: np.asarray(weight) for path, weight in select(mlp.variables["params"]).items()}
    scores = {path: np.abs(weights[path] * slope) for path, slope in by_backpropagation(mlp).items()}
    for path, score in sensitivities(weights, by_backpropagation(mlp)).items():
        assert_array_equal(score, scores[path])
    edge = np.sort(np.concatenate([score.ravel() for score in scores.values()]))[-21]
    net, variables, state = prepared(mlp, snip(), 0.5)
    assert net is mlp.net
    assert variables is mlp.variables
    for path, score in scores.items():
        assert_array_equal(state.fixed[path], score >= edge)


def test_masks_stay_and_masked_weights_have_no_moments(mlp):
    method = snip()
    _, variables, state = prepared(mlp, method, 0.5)
    after, params, keep = jax.jit(method.update)(state, None, variables["params"], None, jnp.int32(3))
    jax.tree.map(assert_array_equal, after, state)
    jax.tree.map(assert_array_equal, params, variables["params"])
    for path, kept in flatten(keep).items():
        assert_array_equal(kept, state.fixed.get(path, True))
    shipped = method.export(state, Shipped(mlp.net, variables)).variables["params"]
    assert_array_equal(shipped["head"]["kernel"] != 0, state.fixed["head/kernel"])


def test_its_control_keeps_as_many_from_the_start(mlp):
    copied = {"dense1/kernel": 5, "dense2/kernel": 0, "head/kernel": 10}
    masks = prepared(mlp, random_fixed(), 0.5, copied)[2].fixed
    assert {path: int(mask.sum()) for path, mask in masks.items()} == copied
    with pytest.raises(ValueError, match=r"^random pruning copies the counts of a finished run, and none was given"):
        prepared(mlp, random_fixed(), 0.5)
