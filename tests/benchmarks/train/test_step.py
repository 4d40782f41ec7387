"""One training step: what its forward was reaches loss and update; moments are forgotten where `keep` is False."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from benchmarks.train import step
from benchmarks.train.loop import data_mesh
from methods.base import Method, Seen, State
from methods.flaxnet import fresh, observed, watch
from methods.paths import flatten, replace, with_params

ROWS = np.arange(8)
HALF = ROWS < 4  # columns of the hidden layer whose moments are kept


def prepared(task, data, method, fixed=()):
    """(step, its first carry, the net's variables) of the task's recovery."""
    variables = fresh(task.net, jax.random.key(0), data.train["x"][:1])
    spec = step.StepSpec(task, task.net, step.in_graph(method), task.recovery)
    advance = step.make_step(spec, data_mesh(len(ROWS)))
    return advance, step.start(spec, variables, State(fixed=fixed), data.train), variables


def forgetful(state, seen, params, grads, count):
    keep = jax.tree.map(lambda leaf: jnp.ones((), bool), params)
    return state, params, replace(keep, {"dense1/kernel": jnp.asarray(HALF)})


@pytest.fixture(scope="module")
def moments(tiny, tiny_data):
    """First moments of the hidden kernel after one and after two steps, without and with `keep`, on one batch."""
    noted = {}
    for name, method in {"plain": Method(), "forgetful": Method(update=forgetful)}.items():
        advance, carry, _ = prepared(tiny, tiny_data, method)
        advance, noted[name] = jax.jit(advance), []
        for _ in range(2):
            carry, _ = advance(carry, tiny_data.train, ROWS, jax.random.key(0))
            noted[name].append(np.asarray(flatten(carry.moments[1].mu["params"])["dense1/kernel"]))
    return noted


def test_kept_moments_are_as_without_keep(moments):
    for plain, forgetful in zip(moments["plain"], moments["forgetful"], strict=True):
        assert_array_equal(forgetful[:, HALF], plain[:, HALF])


def test_a_forgotten_moment_starts_anew(moments):
    (first, second), (same, anew) = moments["plain"], moments["forgetful"]
    assert_array_equal(same, first)  # forgotten as the next step begins
    gradient = second - 0.9 * first  # (1 - β₁) times the second gradient, with β₁ = 0.9
    np.testing.assert_allclose(anew[:, ~HALF], gradient[:, ~HALF], rtol=1e-4, atol=1e-7)
    assert np.abs(0.9 * first[:, ~HALF]).max() > 1e-3


def halved(state, variables):
    return with_params(variables, jax.tree.map(lambda w: w / 2, variables["params"]))


def own_loss(state, seen, base):
    """Σ of what was watched, 3 times Σ of a bias that ran, Σ of the weights of places; the task's loss times 0."""
    watched = jnp.sum(seen.watched["dense1"])
    return 0 * base + watched + 3 * jnp.sum(seen.params["head"]["bias"]) + jnp.sum(seen.weight)


def noting(state, seen, params, grads, count):
    return state._replace(fixed=(seen, params, grads)), params, None


NOTING = Method(view=halved, tap=lambda state: watch("dense1"), loss=own_loss, update=noting)


def weighted(batch):
    """The task's batch, of whose four places each example has as many as its class counts."""
    return lambda *given: (made := batch(*given)) | {"weight": jnp.arange(4) <= made["y"][:, None]}


def noted(task, data):
    """(loss, what `update` was given, the batch, the variables before) of the first step."""
    method = NOTING._replace(update=Method().update)
    _, carry, variables = prepared(task, data, method)
    batch = task.batch(data.train, ROWS, jax.random.key(0))
    seen = Seen(batch, jnp.zeros((8, 3)), carry.params, {"dense1": jnp.zeros((8, 8))}, step._places(batch))
    advance, carry, variables = prepared(task, data, NOTING, (seen, carry.params, carry.params))
    carry, loss = jax.jit(advance)(carry, data.train, ROWS, jax.random.key(0))
    assert jax.tree.structure(carry.state.fixed[0]) == jax.tree.structure(seen)
    jax.tree.map(assert_array_equal, carry.state.fixed[1], carry.params)  # the stored weights, after the optimizer
    return loss, carry.state.fixed, batch, variables


@pytest.fixture(scope="module")
def plain(tiny, tiny_data):
    return noted(tiny, tiny_data)


def test_update_sees_the_forward_pass(plain, tiny):
    """The weights that ran are those of `view`, before the optimizer moved what is stored."""
    _, (seen, stored, _), batch, variables = plain
    jax.tree.map(assert_array_equal, seen.batch, batch)
    ran = halved(None, variables)
    jax.tree.map(assert_array_equal, seen.params, ran["params"])
    out, _, watched = observed(tiny.net, ran, batch["x"], tap=watch("dense1"))
    assert_allclose(seen.out, out, rtol=1e-5, atol=1e-6)
    assert_allclose(seen.watched["dense1"], watched["dense1"], rtol=1e-5, atol=1e-6)
    assert np.abs(watched["dense1"]).max() > 0.1
    moved = jax.tree.map(lambda a, b: np.abs(a - b).max(), stored, variables["params"])
    assert moved["dense1"]["kernel"] > 1e-4


def test_loss_sees_it_too_and_gradients_flow_into_all_of_it(plain):
    """Of the biases that ran: 8 examples for that of the watched layer, 3 as the loss says for that of the head."""
    loss, (seen, _, grads), _, _ = plain
    by_hand = seen.watched["dense1"].sum() + 3 * seen.params["head"]["bias"].sum() + 8
    assert_allclose(loss, by_hand, rtol=1e-5)
    assert_allclose(grads["dense1"]["bias"], np.full(8, 8.0), rtol=1e-6)
    assert_allclose(grads["head"]["bias"], np.full(3, 3.0), rtol=1e-6)
    assert not np.any(grads["head"]["kernel"])


def test_every_example_counts_once_where_the_batch_has_no_weight(plain):
    (_, (seen, _, _), _, _) = plain
    assert_array_equal(seen.weight, np.ones(8, np.float32))
    assert seen.weight.dtype == jnp.float32


def test_places_count_as_the_batch_says(tiny, tiny_data):
    task = dataclasses.replace(tiny, batch=weighted(tiny.batch))
    _, (seen, _, _), batch, _ = noted(task, tiny_data)
    assert_array_equal(batch["y"], np.arange(8) % 3)
    assert_array_equal(seen.weight.sum(1), 1 + np.arange(8) % 3)
    assert (seen.weight.shape, seen.weight.dtype) == ((8, 4), jnp.float32)


def test_what_is_not_used_of_the_forward_pass_costs_nothing(tiny, tiny_data):
    """A step that watches every module and uses none of it is compiled to as much work as a dense one."""
    costs = []
    for method in (Method(), Method(tap=lambda state: watch(".*"))):
        advance, carry, _ = prepared(tiny, tiny_data, method)
        compiled = jax.jit(advance).lower(carry, tiny_data.train, ROWS, jax.random.key(0)).compile()
        cost, memory = compiled.cost_analysis(), compiled.memory_analysis()
        costs.append((cost["flops"], cost["bytes accessed"], memory.temp_size_in_bytes, memory.output_size_in_bytes))
    assert costs[0] == costs[1]
    assert costs[0][0] > 1e5
