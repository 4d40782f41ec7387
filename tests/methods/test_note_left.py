"""What a selector leaves as it is, is told."""

import warnings

import jax
import jax.numpy as jnp
import pytest
from flax import linen as nn

from methods import METHODS
from methods.base import Fallback, Problem
from methods.paths import note_left
from tests.tasks.nets.test_published import PARAMETERS, variables_of

PARAMS = {
    "mlp": {"weight": jnp.zeros((64, 64)), "bias": jnp.zeros((2, 64)), "temperature": jnp.zeros(3)},
    "norm": {"scale": jnp.zeros((2, 64)), "bias": jnp.zeros((2, 64))},  # of two stacked layers
    "head": {"kernel": jnp.zeros((64, 3)), "bias": jnp.zeros(3)},
}
SAID = r"4096 of 4288 matrix weights \(mlp/weight\) are left as they are: the selector is '\(\^\|/\)\(kernel\|emb"


def test_share_by_hand():
    with pytest.warns(Fallback, match=SAID):
        note_left(PARAMS)
    with pytest.warns(
        Fallback, match=r"^192 of 4288 matrix weights \(head/kernel\) are left as they are: .* 'weight'$"
    ):
        note_left(PARAMS, "weight")
    many = {f"layer{i}": {"w": jnp.zeros((2, 2))} for i in range(5)}
    with pytest.warns(Fallback, match=r"^20 of 20 matrix weights \(layer0/w, layer1/w, layer2/w, …\) are left"):
        note_left(many)


class Uncommon(nn.Module):
    """A layer whose kernel has a name of its own, and a head."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        weight = self.param("weight", nn.initializers.normal(0.1), (64, 64))
        return nn.Dense(3, name="head")(nn.relu(x @ weight))


@pytest.mark.parametrize("name", ["rtn", "rtn_static", "lsq", "magnitude", "random@magnitude"])
def test_methods_tell(name):
    net, x = Uncommon(), jnp.ones((2, 64))
    variables = net.init(jax.random.key(0), x)
    problem = Problem(net, x[:1], [{"x": x}], None, 0, copied={"head/kernel": 96})

    def settle(method, key):
        _, started, state = method.init(key, problem, variables, (jnp.float32(0.5),))
        return method.settle(key, problem, started, state, 1)

    with pytest.warns(Fallback, match=r"^4096 of 4288 matrix weights \(weight\) are left as they are"):
        settle(METHODS[name].make(), jax.random.key(0))


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_suites_nets_have_no_matrix_that_is_left(name):
    net, shape, _ = PARAMETERS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        note_left(variables_of(net, shape)[0]["params"])
