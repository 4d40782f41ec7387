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

from methods.arrays.distances import divergence, mean
from methods.base import Entry, Method, Problem, PyTree, Seen, Settings, State, Teacher
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
    return temperature**2 * mean(divergence(teacher / temperature, student / temperature), weight)


class Lesson(NamedTuple):
    """What is fixed: who teaches, and how. Numbers are arrays, so that one compiled step serves all of them."""

    teacher: Teacher
    temperature: jax.Array  # float32 []
    alpha: jax.Array  # float32 []

    def loss(self, seen: Seen, target: PyTree, base: jax.Array) -> jax.Array:
        """Returns (1 - α) · base + α · T² · KL(target ‖ output), float32 [].

        Args:
          seen: the student's forward pass.
          target: the teacher's logits, like the student's.
          base: mean loss of the task, float32 [].
        """
        taught = distillation(seen.out, jax.lax.stop_gradient(target), self.temperature, seen.weight)
        return (1 - self.alpha) * base + self.alpha * taught


def lesson(problem: Problem, temperature: float, alpha: float) -> Lesson:
    """Returns what the problem's teacher teaches.

    Args:
      problem: has the teacher.
      temperature: T.
      alpha: α, the share of the teacher in the loss.

    Raises:
      ValueError: there is no teacher, or its outputs are no logits of two or more classes: of one, the loss would be 0.
    """
    teacher = problem.teacher
    if teacher is None:
        raise ValueError("distillation needs a teacher; this problem has none")
    out: Any = jax.eval_shape(
        lambda variables, x: forward(teacher.net, variables, x)[0], teacher.variables, problem.example
    )
    shape = getattr(out, "shape", None)
    if shape is None or len(shape) < 2 or shape[-1] < 2:
        said = "a tree of outputs" if shape is None else f"outputs {list(shape)}"
        raise ValueError(f"distillation needs logits of two or more classes, [B, ..., K]; the teacher makes {said}")
    return Lesson(teacher, jnp.float32(temperature), jnp.float32(alpha))


def kd(temperature: float = 2.0, alpha: float = 0.3) -> Method:
    """Returns distillation. Strength: kept fraction of each group; 1 distills into the net as it is born.

    Args:
      temperature: T.
      alpha: α, the share of the teacher in the loss.
    """

    def init(key, problem, variables, strength):
        taught = lesson(problem, temperature, alpha)
        (width,) = strength
        return *small_net(key, problem, variables, width), State(fixed=taught)

    return Method(init=init, loss=_loss)


def _loss(state, seen, base):
    teacher = state.fixed.teacher
    return state.fixed.loss(seen, forward(teacher.net, teacher.variables, seen.batch["x"])[0], base)


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
