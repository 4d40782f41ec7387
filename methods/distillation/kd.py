"""Knowledge distillation by temperature into a smaller student. Hinton et al. 2015 (arXiv 1503.02531, §2).

    loss = (1 - α) · task loss + α · T² · KL(softmax(teacher / T) ‖ softmax(student / T))

The student is the task's net with a fraction of the channels of every group, trained from scratch for the recovery
budget. T = 4 and α = 0.9 are those of Tian et al. 2020 (arXiv 1910.10699). `student` is the control: the same net, the
same budget, no teacher: the small net from scratch.
"""

import jax
import jax.numpy as jnp

from methods.base import Entry, Method, State
from methods.distillation.student import STUDENT, small_net
from methods.flaxnet import forward


def distillation(student: jax.Array, teacher: jax.Array, temperature: float) -> jax.Array:
    """Returns T² · KL(softmax(teacher/T) ‖ softmax(student/T)), a scalar: the mean over all axes but the last.

    Args:
      student: logits [..., K].
      teacher: logits [..., K].
      temperature: T.
    """
    log_p = jax.nn.log_softmax(teacher / temperature)
    log_q = jax.nn.log_softmax(student / temperature)
    return temperature**2 * jnp.mean(jnp.sum(jnp.exp(log_p) * (log_p - log_q), axis=-1))


def kd(temperature: float = 4.0, alpha: float = 0.9) -> Method:
    """Returns distillation. Strength: kept fraction of each group; 1 distills into the net as it is, in a chain say.

    Args:
      temperature: T.
      alpha: α, the share of the teacher in the loss.
    """

    def init(key, problem, variables, strength):
        if problem.teacher is None:
            raise ValueError("kd needs a teacher; this problem has none")
        (width,) = strength
        return *small_net(key, problem, variables, width), State(fixed=problem.teacher)

    def loss(state, batch, out, base):
        teacher = state.fixed
        target = jax.lax.stop_gradient(forward(teacher.net, teacher.variables, batch["x"])[0])
        return (1 - alpha) * base + alpha * distillation(out, target, temperature)

    return Method(init=init, loss=loss)


KD = Entry(
    kd,
    STUDENT.about._replace(
        needs=frozenset({"groups", "classes", "teacher"}),
        changes=frozenset({"shape", "loss"}),
        control="student",
        paper="hinton2015distilling",
    ),
)
