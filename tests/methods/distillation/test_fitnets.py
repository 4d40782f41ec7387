"""Hints: the loss in NumPy, which layers are compared by default and by name, and what is trained and ships."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from numpy.testing import assert_allclose, assert_array_equal

from methods import METHODS
from methods.base import OptionError, Problem, Shipped, Teacher
from methods.distillation.fitnets import fitnets
from methods.distillation.kd import kd
from methods.distillation.student import student
from methods.flaxnet import observed
from tasks import TASKS
from tests.methods.distillation.lesson import hinted

RNG = np.random.default_rng(0)
MADE = RNG.normal(size=(10, 4)).astype(np.float32)
ONE = (jnp.float32(1),)


def problem_of(net, x, teacher=None):
    """The problem of a net of shapes alone; it, or another net, teaches."""
    given, taught = (jax.eval_shape(lambda n=n: n.init(jax.random.key(0), x)) for n in (net, teacher or net))
    return Problem(net, x, (), None, 6, Teacher(teacher or net, taught)), given


def layers_of(net, x, hint="", teacher=None):
    """(guided, hint), without a computed weight."""
    problem, given = problem_of(net, x, teacher)
    state = fitnets(hint).init(jax.random.key(0), problem, given, ONE)[2]
    return state.fixed.layers.guided, state.fixed.layers.hint


@pytest.mark.parametrize("beta", [0.1, 3.0])
def test_hints_are_added_to_the_loss_of_kd(mlp, beta):
    method, state, seen, wanted = hinted(mlp, fitnets("dense1", beta), MADE)
    taught = kd().init(jax.random.key(0), problem_with(mlp), mlp.variables, ONE)[2]
    without = kd().loss(taught, seen(MADE), jnp.float32(1.7))
    expected = np.square(np.float64(MADE) @ np.asarray(state.train) - wanted).mean()
    assert_allclose(method.loss(state, seen(MADE), jnp.float32(1.7)), without + beta * expected, rtol=1e-5)
    assert expected > 0.1


def problem_with(mlp):
    return Problem(mlp.net, mlp.x[:1], (), None, 6, Teacher(mlp.net, mlp.variables))


def test_gradients_of_features_and_regressor_are_those_of_numpy(mlp):
    method, state, seen, wanted = hinted(mlp, fitnets("dense1", 1.0, alpha=0.0), MADE)
    loss = jax.grad(lambda r, v: method.loss(state._replace(train=r), seen(v), 0.0), argnums=(0, 1))
    of_regressor, of_made = loss(state.train, MADE)
    slope = 2 * (np.float64(MADE) @ np.asarray(state.train) - wanted) / 40
    assert_allclose(of_regressor, MADE.T @ slope, rtol=1e-4, atol=1e-6)
    assert_allclose(of_made, slope @ np.asarray(state.train).T, rtol=1e-4, atol=1e-6)


def test_places_that_do_not_count_give_no_hint(mlp):
    weight = np.float32(np.arange(10) < 4)
    method, state, seen, wanted = hinted(mlp, fitnets("dense1", 1.0, alpha=0.0), MADE, weight)
    loss, slope = jax.value_and_grad(lambda v: method.loss(state, seen(v), 0.0))(MADE)
    expected = np.square(np.float64(MADE) @ np.asarray(state.train) - wanted)[:4].mean()
    assert_allclose(loss, expected, rtol=1e-5)
    assert np.abs(slope[:4]).min() > 0
    assert not np.any(slope[4:])


@pytest.mark.parametrize(
    ("task", "middle"),
    [
        ("digits", "conv2"),  # of conv1, conv2, dense1 before the head
        ("spoken_digits", "pointwise0"),  # of conv, two depthwise and two pointwise ones
        ("pydoc", "block0/down"),  # of token and twice query, key, value, out, up, down
        ("mnist_lenet300", "dense2"),  # of dense1, dense2
    ],
)
def test_the_middle_by_order_of_use(task, middle):
    net, data = TASKS[task].net, {"digits": (8, 8, 1), "spoken_digits": (39, 24, 1), "mnist_lenet300": (28, 28, 1)}
    x = jnp.zeros((1, *data[task])) if task in data else jnp.zeros((1, 64), jnp.int32)
    assert layers_of(net, x) == (middle, middle)


class Deep(nn.Module):
    """Images through convolutions, a pooling after the first `before`, and a head."""

    depth: int
    before: int
    width: int = 4

    @nn.compact
    def __call__(self, x, train: bool = False):
        for i in range(self.depth):
            x = nn.relu(nn.Conv(self.width, (3, 3), name=f"conv{i}")(x))
            x = nn.avg_pool(x, (2, 2), (2, 2)) if i + 1 == self.before else x
        return nn.Dense(3, name="head")(x.mean((1, 2)))


IMAGE = jnp.zeros((1, 8, 8, 1))


def test_a_teacher_of_another_depth_hints_where_it_has_the_same_places():
    """The student's middle is conv1 of 3, behind the pooling; the teacher's would be conv3 of 6, before its own."""
    assert layers_of(Deep(3, 1), IMAGE, teacher=Deep(6, 5)) == ("conv1", "conv5")
    assert layers_of(Deep(3, 1), IMAGE, teacher=Deep(6, 1)) == ("conv1", "conv3")


def test_a_hint_by_name_is_of_any_module(tiny):
    assert layers_of(TASKS["pydoc"].net, jnp.zeros((1, 64), jnp.int32), "block0") == ("block0", "block0")
    assert layers_of(tiny.net, IMAGE, "dense1") == ("dense1", "dense1")


def test_a_hint_that_fits_nothing_is_an_error(tiny):
    with pytest.raises(OptionError, match=r"hint 'conv3' is no module .* these are conv1, conv2, dense1, head$"):
        layers_of(tiny.net, IMAGE, "conv3")
    with pytest.raises(OptionError, match=r"hint 'position' is no module"):  # the same for every example
        layers_of(TASKS["pydoc"].net, jnp.zeros((1, 64), jnp.int32), "position")
    with pytest.raises(
        OptionError, match=r"hint 'conv1': outputs are \[4, 4, 4\] in the student, \[8, 8, 4\] in the teacher"
    ):
        layers_of(Deep(3, 1), IMAGE, "conv1", teacher=Deep(6, 5))


class Shallow(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.Dense(3, name="head")(x.reshape(len(x), -1))


def test_a_net_without_a_middle_is_an_error():
    with pytest.raises(OptionError, match=r"hint '': no two layers in the middle of the nets fit; .* modules head$"):
        layers_of(Shallow(), IMAGE)


class Recurrent(nn.Module):
    """Its cell runs in a loop, where nothing is noted."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        y = nn.RNN(nn.GRUCell(5, name="cell"), name="rnn")(nn.Dense(4, name="embed")(x))
        return nn.Dense(3, name="head")(y[:, -1])


def test_recurrent_nets_hint_around_their_loop():
    x = jnp.zeros((1, 6, 2))
    assert layers_of(Recurrent(), x) == ("embed", "embed")
    assert layers_of(Recurrent(), x, "rnn") == ("rnn", "rnn")
    with pytest.raises(OptionError, match="hint 'cell' is no module with features"):
        layers_of(Recurrent(), x, "cell")


def test_the_student_is_that_of_its_controls_and_only_the_regressor_trains_beside_it(tiny):
    """[2, 4]: half of the teacher's four channels in, all four out."""
    problem, given = problem_of(tiny.net, IMAGE)
    net, variables, state = fitnets().init(jax.random.key(3), problem, given, (jnp.float32(0.5),))
    control, same, _ = student().init(jax.random.key(3), problem, given, (jnp.float32(0.5),))
    assert net == control
    jax.tree.map(assert_array_equal, variables, same)
    assert state.train.shape == (2, 4)
    again = fitnets().init(jax.random.key(3), problem, given, (jnp.float32(0.5),))[2].train
    assert_array_equal(state.train, again)
    assert not np.array_equal(state.train, fitnets().init(jax.random.key(4), problem, given, (0.5,))[2].train)
    shipped = fitnets().export(state, Shipped(net, variables))
    assert shipped == Shipped(net, variables)


def test_one_tap_watches_the_guided_layer(mlp):
    method, state, _, wanted = hinted(mlp, fitnets("dense1"), MADE)
    watched = observed(mlp.net, mlp.variables, mlp.x, tap=method.tap(state))[2]
    assert list(watched) == ["dense1"]
    assert_allclose(watched["dense1"], wanted, rtol=1e-5)


def test_one_compiled_loss_serves_all_settings():
    assert fitnets(beta=0.1).loss is fitnets(beta=1.0).loss
    assert METHODS["fitnets"].about.control == "student"
