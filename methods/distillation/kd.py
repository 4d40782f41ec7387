"""Knowledge distillation by temperature into a smaller student. Hinton et al. 2015 (arXiv 1503.02531, §2).

    loss = (1 - α) · task loss + α · T² · KL(softmax(teacher / T) ‖ softmax(student / T))

The student is the task's net with a fraction of the channels of every group, trained from scratch with the full budget.
The rate is tuned, as that of the control is, and with it T, as the paper tunes it: from 1 to the 4 of Tian et al. 2020
(arXiv 1910.10699). α stays at 0.3: their 0.9 asks for a teacher that is much better than its student. `student` is the
control: the same net, the same budget, no teacher: the small net from scratch.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from methods.base import Entry, Method, Problem, Settings, State, Teacher
from methods.distillation.student import STUDENT, small_net
from methods.flaxnet import forward

TRIALS: tuple[Settings, ...] = tuple(
    (("rate", rate), ("temperature", temperature))
    for rate, temperature in ((1.0, 2.0), (2.0, 1.0), (4.0, 1.0), (2.0, 4.0), (4.0, 4.0))
)


def distillation(
    student: jax.Array, teacher: jax.Array, temperature: jax.Array | float, weight: jax.Array | None = None
) -> jax.Array:
    """Returns T² · KL(softmax(teacher/T) ‖ softmax(student/T)), a scalar: the weighted mean over all axes but the last.

    Args:
      student: logits [..., K].
      teacher: logits [..., K].
      temperature: T.
      weight: of each place, float, of the leading axes or of all of [...]; None counts every place once.
    """
    log_p = jax.nn.log_softmax(teacher / temperature)
    log_q = jax.nn.log_softmax(student / temperature)
    places = jnp.sum(jnp.exp(log_p) * (log_p - log_q), axis=-1)
    if weight is None:
        return temperature**2 * jnp.mean(places)
    weight = jnp.broadcast_to(weight.reshape(weight.shape + (1,) * (places.ndim - weight.ndim)), places.shape)
    total = jnp.sum(weight)
    return temperature**2 * jnp.sum(weight * places) / jnp.where(total > 0, total, 1)


class Lesson(NamedTuple):
    """What is fixed: who teaches, and how. Numbers are arrays, so that one compiled step serves all of them."""

    teacher: Teacher
    temperature: jax.Array  # float32 []
    alpha: jax.Array  # float32 []


def kd(temperature: float = 2.0, alpha: float = 0.3) -> Method:
    """Returns distillation. Strength: kept fraction of each group; 1 distills into the net as it is born.

    Args:
      temperature: T.
      alpha: α, the share of the teacher in the loss.
    """

    def init(key, problem, variables, strength):
        if problem.teacher is None:
            raise ValueError("kd needs a teacher; this problem has none")
        _refuse(problem)
        (width,) = strength
        lesson = Lesson(problem.teacher, jnp.float32(temperature), jnp.float32(alpha))
        return *small_net(key, problem, variables, width), State(fixed=lesson)

    return Method(init=init, loss=_loss)


def _loss(state, seen, base):
    teacher, temperature, alpha = state.fixed
    target = jax.lax.stop_gradient(forward(teacher.net, teacher.variables, seen.batch["x"])[0])
    return (1 - alpha) * base + alpha * distillation(seen.out, target, temperature, seen.weight)


def _refuse(problem: Problem) -> None:
    """Raises ValueError unless the teacher's outputs are logits of two or more classes: of one, the loss would be 0."""
    teacher = problem.teacher
    assert teacher is not None
    out: Any = jax.eval_shape(
        lambda variables, x: forward(teacher.net, variables, x)[0], teacher.variables, problem.example
    )
    shape = getattr(out, "shape", None)
    if shape is None or len(shape) < 2 or shape[-1] < 2:
        said = "a tree of outputs" if shape is None else f"outputs {list(shape)}"
        raise ValueError(f"kd needs logits of two or more classes, [B, ..., K]; the teacher makes {said}")


KD = Entry(
    kd,
    STUDENT.about._replace(
        needs=frozenset({"groups", "classes", "teacher"}),
        changes=frozenset({"shape", "loss"}),
        control="student",
        trials=TRIALS,
        paper="hinton2015distilling",
    ),
)
