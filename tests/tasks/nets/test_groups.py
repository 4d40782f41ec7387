"""Groups of channels: what is wrong with them is said by group and leaf, without computing any weight."""

import jax
import jax.numpy as jnp
import pytest
from flax import linen as nn

from tasks import TASKS
from tasks.nets.groups import Axis, Group, affine, problems, read, sizes_after, written
from tests.contracts.test_tasks import EXPECTED
from tests.tasks.nets.test_nets import SMALL

X = jnp.ones((2, 5))
RIGHT = (*written("hidden"), read("head"))


class Net(nn.Module):
    axes: tuple[Axis, ...]
    width: int = 8
    stuck: bool = False  # resize does nothing

    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.Dense(3, name="head")(nn.relu(nn.Dense(self.width, name="hidden")(x)))

    def groups(self):
        return {"hidden": Group(self.width, self.axes)}

    def resize(self, sizes):
        return self if self.stuck else self.clone(width=sizes_after(self.groups(), sizes)["hidden"])


class Untied(nn.Module):
    """The two branches are summed: their channels live and die together, but are two groups."""

    left: int = 8
    right: int = 8

    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.Dense(3, name="head")(nn.Dense(self.left, name="left")(x) + nn.Dense(self.right, name="right")(x))

    def groups(self):
        return {
            "left": Group(self.left, (*written("left"), read("head"))),
            "right": Group(self.right, written("right")),
        }

    def resize(self, sizes):
        return self.clone(**sizes_after(self.groups(), sizes))


def shapes(net, x=X):
    return jax.eval_shape(net.init, jax.random.key(0), x)


@pytest.mark.parametrize("name", SMALL)
def test_groups_of_the_suite_have_no_problems(name):
    net, x = SMALL[name]
    assert problems(net, lambda net: shapes(net, x)) == []


@pytest.mark.parametrize("name", sorted({task.net: name for name, task in TASKS.items()}.values()))
def test_groups_of_tasks_have_no_problems(name):
    x = jnp.zeros((1, *EXPECTED[name].x), EXPECTED[name].dtype)
    assert problems(TASKS[name].net, lambda net: shapes(net, x)) == []


def test_a_net_without_groups_has_no_problems():
    assert problems(nn.Dense(3), shapes) == []


@pytest.mark.parametrize(
    ("net", "said"),
    [
        (Net((*written("hiden"), read("head"))), ["no leaf params/hiden/kernel; did you mean params/hidden/kernel?"]),
        (Net((*RIGHT, *affine("norm"))), ["no leaf params/norm/scale"]),
        (Net((*RIGHT, Axis("hidden/bias", 0, collection="batch_stats"))), ["no leaf batch_stats/hidden/bias"]),
        (Net(written("hidden")), ["params/head/kernel has shape (4, 3) after resize({'hidden': 4}), must be (8, 3)"]),
        (
            Net((*written("hidden", bias=False), read("head"))),
            ["params/hidden/bias has shape (4,) after resize({'hidden': 4}), must be (8,)"],
        ),
        (
            Net((*RIGHT, Axis("head/kernel", -1))),
            ["axis -1 of params/head/kernel has length 3; outer · size · inner is 1 · 8 · 1"],
        ),
        (
            Net((*written("hidden"), read("head", outer=2))),
            ["axis -2 of params/head/kernel has length 8; outer · size · inner is 2 · 8 · 1"],
        ),
        (Net((*RIGHT, Axis("hidden/bias", -2))), ["params/hidden/bias has no axis -2; its shape is (8,)"]),
        (Net((Axis("hidden/kernel", -1), Axis("hidden/bias", 0), read("head"))), ["no Axis produces its channels"]),
        (Net(RIGHT, stuck=True), ["params/hidden/kernel has shape (5, 8)", "must be (5, 4)"]),
    ],
)
def test_what_is_wrong_is_said_by_group_and_leaf(net, said):
    found = problems(net, shapes)
    assert all(line.startswith("group 'hidden': ") and "\n" not in line for line in found)
    assert all(any(part in line for line in found) for part in said), found


def test_a_net_that_cannot_be_resized_is_said_by_group():
    left, right = problems(Untied(), shapes)
    assert left.startswith("group 'left': resize({'left': 4}) makes a net that fails (TypeError: add got incompatible ")
    assert right.startswith("group 'right': resize({'right': 6}) makes a net that fails (TypeError: ")


def test_a_group_of_one_channel_is_no_problem():
    assert problems(Net(RIGHT, width=1), shapes) == []
