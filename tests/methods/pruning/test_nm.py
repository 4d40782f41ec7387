"""N:M as a method: along which axes its pattern runs in nets of each kind, and what it tells."""

import re
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from numpy.testing import assert_array_equal

from methods import METHODS
from methods.base import Fallback, Problem, Shipped
from methods.chain import chain
from methods.paths import flatten
from methods.pruning.nm import nm, random_nm
from methods.pruning.sr_ste import sr_ste
from tasks.nets.bcresnet import bcresnet1
from tasks.nets.encoder import encoder
from tasks.nets.resnet import resnet8

IMAGE, TOKENS = (1, 32, 32, 3), (1, 8)


class Recurrent(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.RNN(nn.GRUCell(6, name="cell"))(x)


NETS = {  # a net, its input, what is left over of M = 4 by path: (entries, of so many)
    "residual, batch norm": (resnet8(), jnp.zeros(IMAGE), {"stem/kernel": (3, 27)}),
    "transformer": (encoder(50, 8, 1, 12, 2, 2), jnp.zeros(TOKENS, jnp.int32), {}),
    "recurrent": (Recurrent(), jnp.zeros((1, 5, 8)), {f"cell/h{gate}/kernel": (2, 6) for gate in "rzn"}),
}


def normal(net, x):
    shapes = jax.eval_shape(lambda: net.init(jax.random.key(0), x))
    rng = np.random.default_rng(0)
    return jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape), jnp.float32), shapes)


def summed(path, weight):
    """What one output sums over, or looks up, in rows [K, outputs]: all axes but the last; of a table, the last."""
    weight = np.asarray(weight)
    return weight.T if path.endswith("embedding") else weight.reshape(-1, weight.shape[-1])


@pytest.mark.parametrize("method", [nm, random_nm, sr_ste])
@pytest.mark.parametrize("name", NETS)
def test_the_pattern_runs_along_what_one_output_sums_over(name, method):
    net, x, left = NETS[name]
    variables, made = normal(net, x), method(2, 4)
    problem = Problem(net, x, (), None, 6)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", Fallback)
        _, _, state = made.init(jax.random.key(0), problem, variables, ())
    named = re.findall(r"(\S+) \((\d+) of (\d+)\)", "".join(str(one.message) for one in told))
    assert {path: (int(rest), int(of)) for path, rest, of in named} == left
    seen = flatten(made.view(state, variables)["params"])
    for path, weight in flatten(variables["params"]).items():
        if not path.endswith(("kernel", "embedding")):
            assert_array_equal(seen[path], weight)
            continue
        rest, kept = left.get(path, (0, 0))[0], summed(path, seen[path]) != 0
        whole = len(kept) - rest
        assert (kept[:whole].reshape(-1, 4, kept.shape[1]).sum(1) == 2).all(), path
        assert kept[whole:].all()
        if method is not random_nm:
            groups = np.abs(summed(path, weight)[:whole].reshape(-1, 4, kept.shape[1]))
            assert_array_equal(kept[:whole].reshape(groups.shape), groups >= np.sort(groups, axis=1)[:, 2:3])


def test_random_groups_go_by_the_seed_and_not_by_the_weights():
    net, x, _ = NETS["transformer"]
    problem, variables = Problem(net, x, (), None, 6), normal(net, x)

    def masks(seed, scale):
        scaled = jax.tree.map(lambda leaf: scale * leaf**2, variables)
        return random_nm(2, 4).init(jax.random.key(seed), problem, scaled, ())[2].fixed.masks["head/kernel"]

    assert_array_equal(masks(0, 1), masks(0, -3))
    assert (masks(0, 1) != masks(1, 1)).any()


def test_rounded_afterwards_it_ships_as_codes():
    """The grid of a chain's next part takes the place of values and places."""
    net, x, _ = NETS["transformer"]
    variables, made = normal(net, x), chain(METHODS["nm_2_4"], METHODS["rtn"], sweep=((4.0,),)).make()
    problem = Problem(net, x, (), None, 6)
    _, _, state = made.init(jax.random.key(0), problem, variables, (jnp.float32(4),))
    _, _, state = made.settle(jax.random.key(0), problem, variables, state, 1)
    shipped = made.export(state, Shipped(net, variables)).variables["params"]["head"]["kernel"]
    assert (shipped.bits, shipped.pruned) == (4, 12)  # of 12 · 2
    assert_array_equal(shipped.unpack(), made.view(state, variables)["params"]["head"]["kernel"])


def test_depthwise_layers_keep_what_their_window_leaves_over():
    net, x = bcresnet1(), jnp.zeros((1, 20, 40, 1))
    with pytest.warns(Fallback, match=r"^no whole group of 8 is left .*/kernel \(3 of 3\)"):
        _, _, state = nm(4, 8).init(jax.random.key(0), Problem(net, x, (), None, 6), normal(net, x), ())
    depthwise = {path: mask for path, mask in state.fixed.masks.items() if mask.shape[:3] == (1, 3, 1)}
    assert depthwise
    assert all(mask.all() for mask in depthwise.values())
