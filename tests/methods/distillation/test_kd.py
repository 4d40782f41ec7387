"""Distillation: the loss against SciPy, its two limits, how it is mixed in, and the size of the student."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from numpy.testing import assert_allclose
from scipy.special import rel_entr, softmax

from methods.base import Problem, State, Teacher
from methods.distillation.kd import distillation, kd
from methods.distillation.student import student
from methods.paths import flatten
from tests.methods.conftest import seen_of

RNG = np.random.default_rng(0)
STUDENT, TEACHER = RNG.normal(0, 3, (2, 4, 3, 5)).astype(np.float32)  # two of [4, 3, 5]
distill = jax.jit(distillation)


def by_scipy(student, teacher, temperature):
    p, q = (softmax(np.float64(logits) / temperature, axis=-1) for logits in (teacher, student))
    return temperature**2 * rel_entr(p, q).sum(-1).mean()


@pytest.mark.parametrize("temperature", [1.0, 4.0, 10.0])
def test_distillation_is_that_of_scipy(temperature):
    assert_allclose(distill(STUDENT, TEACHER, temperature), by_scipy(STUDENT, TEACHER, temperature), rtol=1e-4)


def test_distillation_by_hand():
    """Teacher ½ ½, student ¾ ¼: KL = ½ ln(2/3) + ½ ln 2 = ½ ln(4/3); the same at T = 2 from doubled logits, times 4."""
    teacher, student = jnp.zeros((1, 2)), jnp.log(jnp.float32([[3, 1]]))
    assert_allclose(distill(student, teacher, 1.0), 0.5 * np.log(4 / 3), rtol=1e-5)
    assert_allclose(distill(2 * student, 2 * teacher, 2.0), 2 * np.log(4 / 3), rtol=1e-5)


def test_a_high_temperature_matches_logits():
    """T² keeps the size of the loss: it tends to Σ (z - v)² / 2K for centred logits z, v (Hinton et al. 2015, §2.1)."""
    z, v = (logits - logits.mean(-1, keepdims=True) for logits in (STUDENT, TEACHER))
    assert_allclose(distill(STUDENT, TEACHER, 100.0), ((z - v) ** 2).sum(-1).mean() / 10, rtol=0.05)


def test_nothing_to_learn_from_oneself():
    loss, gradient = jax.jit(jax.value_and_grad(distillation))(STUDENT, STUDENT, 4.0)
    assert_allclose(loss, 0, atol=1e-6)  # JAX 0.11 rounds the two apart
    assert_allclose(gradient, np.zeros_like(STUDENT), atol=1e-6)


def test_gradient_is_the_difference_of_softened_probabilities():
    gradient = jax.jit(jax.grad(distillation))(STUDENT, TEACHER, 4.0)
    expected = 4 * (softmax(STUDENT / 4, axis=-1) - softmax(TEACHER / 4, axis=-1)) / 12  # mean over 4 · 3 rows
    assert_allclose(gradient, expected, atol=1e-6)


@pytest.mark.parametrize(("temperature", "alpha"), [(2.0, 0.3), (4.0, 0.9)])
def test_loss_mixes_the_task_in(mlp, temperature, alpha):
    method, state = lesson(mlp, temperature, alpha)
    out = np.float32(RNG.normal(size=(10, 2)))
    teacher = mlp.inputs(mlp.variables, mlp.x)["out"]
    loss = method.loss(state, seen_of(mlp, out), jnp.float32(1.7))
    assert_allclose(loss, (1 - alpha) * 1.7 + alpha * by_scipy(out, teacher, temperature), rtol=1e-4)


def lesson(mlp, temperature=2.0, alpha=1.0):
    """Distillation from the perceptron into itself, prepared."""
    method = kd(temperature, alpha)
    problem = Problem(mlp.net, mlp.x[:1], (), None, 6, Teacher(mlp.net, mlp.variables))
    return method, method.init(jax.random.key(0), problem, mlp.variables, (jnp.float32(1),))[2]


def test_places_that_do_not_count_teach_nothing(mlp):
    """Of ten examples, the last six are padding: the loss is that of the first four, and no gradient goes elsewhere."""
    method, state = lesson(mlp)
    out, weight = np.float32(RNG.normal(size=(10, 2))), np.float32(np.arange(10) < 4)
    loss, slope = jax.value_and_grad(lambda out: method.loss(state, seen_of(mlp, out, weight), 0.0))(out)
    expected = by_scipy(out[:4], mlp.inputs(mlp.variables, mlp.x)["out"][:4], 2.0)
    assert_allclose(loss, expected, rtol=1e-4)
    assert np.abs(slope[:4]).min() > 0
    assert np.abs(slope[4:]).max() == 0


def test_weights_are_of_leading_axes_or_of_all_places():
    """[4, 3] places: by example, the mean over the places of each counts as often as its weight says."""
    of_examples = np.float32([1, 0, 2, 0])
    by_hand = (by_scipy(STUDENT[0], TEACHER[0], 2.0) + 2 * by_scipy(STUDENT[2], TEACHER[2], 2.0)) / 3
    assert_allclose(distill(STUDENT, TEACHER, 2.0, of_examples), by_hand, rtol=1e-4)
    of_places = np.repeat(of_examples[:, None], 3, axis=1)
    assert_allclose(distill(STUDENT, TEACHER, 2.0, of_places), by_hand, rtol=1e-4)
    assert distill(STUDENT, TEACHER, 2.0, np.zeros(4, np.float32)) == 0
    ones = distill(STUDENT, TEACHER, 2.0, np.ones(4, np.float32))
    assert_allclose(ones, distill(STUDENT, TEACHER, 2.0), rtol=1e-6)


def test_one_compiled_loss_serves_all_temperatures():
    assert kd(1.0, 0.5).loss is kd(4.0, 0.9).loss


class Odd(nn.Module):
    """Outputs that are not logits of classes."""

    kind: str

    @nn.compact
    def __call__(self, x, train):
        out = nn.Dense(1 if self.kind == "one" else 3, name="head")(x)
        return {"logits": out} if self.kind == "tree" else out[:, 0] if self.kind == "flat" else out


@pytest.mark.parametrize(
    ("kind", "said"), [("one", r"outputs \[1, 1\]"), ("flat", r"outputs \[1\]"), ("tree", "a tree of outputs")]
)
def test_outputs_without_classes_are_refused_early(mlp, kind, said):
    net = Odd(kind)
    variables = net.init(jax.random.key(0), mlp.x, train=False)
    problem = Problem(net, mlp.x[:1], (), None, 6, Teacher(net, variables))
    with pytest.raises(
        ValueError, match=rf"distillation needs logits of two or more classes, .*; the teacher makes {said}"
    ):
        kd().init(jax.random.key(0), problem, variables, (jnp.float32(1),))


def test_student_without_teacher_keeps_the_task_loss():
    assert student().loss(State(), None, 1.7) == 1.7


def test_student_is_fresh_and_as_small_as_the_width_says(tiny):
    """Of 4, 4 and 8 channels, 0.375 keeps 1.5 -> 2, 2 and 3."""
    x = jnp.zeros((1, 8, 8, 1))
    given = jax.eval_shape(tiny.net.init, jax.random.key(0), x)
    problem = Problem(tiny.net, x, (), None, 6, Teacher(tiny.net, given))
    net, variables, state = kd().init(jax.random.key(0), problem, given, (jnp.float32(0.375),))
    assert (net.channels, net.hidden) == ((2, 2), 3)
    assert {path: leaf.shape for path, leaf in flatten(variables["params"]).items() if "kernel" in path} == {
        "conv1/kernel": (3, 3, 1, 2),
        "conv2/kernel": (3, 3, 2, 2),
        "dense1/kernel": (8, 3),
        "head/kernel": (3, 3),
    }
    assert state.fixed.teacher is problem.teacher
    control, same, nothing = student().init(jax.random.key(0), problem, given, (jnp.float32(0.375),))
    assert control == net
    assert nothing == State()
    assert all(jax.tree.leaves(jax.tree.map(lambda a, b: bool((a == b).all()), variables, same)))


def test_kd_needs_a_teacher(tiny):
    with pytest.raises(ValueError, match="distillation needs a teacher; this problem has none"):
        kd().init(None, Problem(tiny.net, None, (), None, 6), {}, (0.5,))
