"""FitNets: a small net imitates what a layer of its teacher makes, too. Romero et al. 2015 (arXiv 1412.6550, §2.2).

    loss = kd's loss + β · ⟨(u - v · R)²⟩

u [..., C'] is the output of the teacher's hint layer, v [..., C] that of the student's guided layer. The regressor R
[C, C'] is learned along with the student and does not ship. The mean is over examples, places and channels. By default
the two layers are those in the middle of the nets, as in the paper (§3.1): by order of use, of the layers before the
last. `kd`, with which it shares temperature and α, says what it adds; `student` is the control.

Deviations:
- One stage instead of two. The paper trains the layers up to the guided one on hints alone, then the whole net by kd.
  Within one budget, that takes the steps of the first stage from the second; RepDistiller and torchdistill train on the
  sum, too. With a quarter of the channels, one stage had 0.9425 on digits (six seeds), two with hints alone in 30 % of
  the steps 0.9200, kd 0.9371 and the small net from scratch 0.9329; on spoken_digits 0.945, 0.925, 0.936 and 0.929.
- The paper's norm is ½ Σ over places and channels, here it is the mean, so that β means much the same in every net.
- R is linear in the channels, also where the paper convolves to fit maps of another size (eq. 3): such layers are
  refused. A bias would add nothing, as the guided layer has one.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax import struct

from methods.arrays.distances import squared
from methods.base import Entry, Method, OptionError, PyTree, Settings, State
from methods.distillation.kd import KD, Lesson, lesson
from methods.distillation.student import small_net
from methods.flaxnet import observed, watch
from methods.uses.uses import uses_of

TRIALS: tuple[Settings, ...] = tuple(
    (("rate", rate), ("beta", beta)) for rate, beta in ((1.0, 0.1), (2.0, 0.1), (4.0, 0.1), (2.0, 1.0), (4.0, 1.0))
)
EXAMPLES = 3
"""Any number but 1: an output whose first axis is as long is one of examples."""


class Outputs(NamedTuple):
    """What a hint can be made of."""

    features: Mapping[str, jax.ShapeDtypeStruct]  # by module path: outputs [EXAMPLES, ..., C]
    layers: tuple[str, ...]  # paths of those that multiply or look up, as they are used; all but the last


@struct.dataclass
class Layers:
    """The paths of the modules whose outputs are compared."""

    guided: str = struct.field(pytree_node=False)  # in the student
    hint: str = struct.field(pytree_node=False)  # in the teacher


class Hints(NamedTuple):
    """What is fixed; the regressor is trained."""

    lesson: Lesson
    layers: Layers
    beta: jax.Array  # float32 []


def fitnets(hint: str = "", beta: float = 0.1, temperature: float = 2.0, alpha: float = 0.3) -> Method:
    """Returns distillation with hints. Strength: kept fraction of each group; 1 distills into the net as it is born.

    Args:
      hint: path of the module in both nets whose outputs are compared, "block0/up"; "" for the layers in the middle.
      beta: β, the weight of the hints.
      temperature: T.
      alpha: α, the share of the teacher's logits in the loss.
    """

    def init(key, problem, variables, strength):
        taught = lesson(problem, temperature, alpha)
        (kept,) = strength
        net, variables = small_net(key, problem, variables, kept)
        student, teacher = (outputs(*given, problem.example) for given in ((net, variables), _taught(taught)))
        layers = _named(hint, student, teacher) if hint else _middle(student, teacher)
        inputs, width = student.features[layers.guided].shape[-1], teacher.features[layers.hint].shape[-1]
        regressor = jax.random.normal(jax.random.fold_in(key, 1), (inputs, width)) / jnp.sqrt(inputs)
        return net, variables, State(regressor, Hints(taught, layers, jnp.float32(beta)))

    return Method(init=init, tap=_tap, loss=_loss)


def _tap(state):
    return watch(re.escape(state.fixed.layers.guided))


def _loss(state, seen, base):
    taught, layers, beta = state.fixed
    target, _, watched = observed(*_taught(taught), seen.batch["x"], tap=watch(re.escape(layers.hint)))
    wanted = jax.lax.stop_gradient(watched[layers.hint])
    made = seen.watched[layers.guided] @ state.train.astype(wanted.dtype)
    return taught.loss(seen, target, base) + beta * squared(made, wanted, seen.weight)


def _taught(taught: Lesson) -> tuple[nn.Module, PyTree]:
    return taught.teacher.net, taught.teacher.variables


def outputs(net: nn.Module, variables: PyTree, example: PyTree) -> Outputs:
    """Returns what the modules of a net return that a hint can be made of.

    Args:
      net: what runs.
      variables: of the net.
      example: an input, array [1, ...] or a tree of them; only its shape matters.
    """
    x = jax.tree.map(lambda a: jax.ShapeDtypeStruct((EXAMPLES, *a.shape[1:]), a.dtype), example)
    watched = jax.eval_shape(lambda v, x: observed(net, v, x, tap=watch(".+"))[2], variables, x)
    found = {path: out for path, out in watched.items() if _is_feature(out)}
    used = dict.fromkeys(path.rpartition("/")[0] for path, _ in uses_of(net, variables, example).order if path)
    return Outputs(found, tuple(path for path in list(used)[:-1] if path in found))


def _is_feature(out: PyTree) -> bool:
    array = isinstance(out, jax.ShapeDtypeStruct) and jnp.issubdtype(out.dtype, jnp.floating)
    return array and out.ndim > 1 and out.shape[0] == EXAMPLES


def _named(hint: str, student: Outputs, teacher: Outputs) -> Layers:
    """Returns the layers of that name. Raises OptionError where a net has none, or where their places differ."""
    both = sorted(student.features.keys() & teacher.features.keys())
    if hint not in both:
        raise OptionError(f"hint {hint!r} is no module with features in both nets; these are {', '.join(both)}")
    shapes = [list(of.features[hint].shape[1:]) for of in (student, teacher)]
    if shapes[0][:-1] != shapes[1][:-1]:
        raise OptionError(f"hint {hint!r}: outputs are {shapes[0]} in the student, {shapes[1]} in the teacher")
    return Layers(hint, hint)


def _middle(student: Outputs, teacher: Outputs) -> Layers:
    """Returns the student's layer in the middle, and the teacher's nearest to it that has the same places."""
    if student.layers:
        guided = student.layers[len(student.layers) // 2]
        places = student.features[guided].shape[:-1]
        fit = [i for i, path in enumerate(teacher.layers) if teacher.features[path].shape[:-1] == places]
        if fit:
            return Layers(guided, teacher.layers[min(fit, key=lambda i: abs(i - len(teacher.layers) // 2))])
    found = ", ".join(sorted(student.features.keys() & teacher.features.keys()))
    raise OptionError(f"hint '': no two layers in the middle of the nets fit; name one of the modules {found}")


FITNETS = Entry(fitnets, KD.about._replace(trials=TRIALS, paper="romero2015fitnets"))
