"""Grids by use: stacked layers, heads and experts are rounded as if each stood alone; edges are one rule for all."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from numpy.testing import assert_array_equal

from methods.base import Problem, State
from methods.paths import flatten
from methods.quantization.grids import module_of
from methods.quantization.lsq import lsq
from methods.quantization.rtn import rtn, rtn_static


class Block(nn.Module):
    @nn.compact
    def __call__(self, x, _=None):
        heads = nn.DenseGeneral((2, 4), name="heads")(x)
        return x + nn.DenseGeneral(8, axis=(-2, -1), name="out")(nn.relu(heads)), None


class Tied(nn.Module):
    """A table, two blocks, the table again; the blocks scanned or one after another."""

    scanned: bool

    @nn.compact
    def __call__(self, x, train: bool = False):
        embed = nn.Embed(11, 8, name="embed")
        y = embed(x)
        if self.scanned:
            scan = nn.scan(Block, variable_axes={"params": 0}, split_rngs={"params": True}, length=2)
            return embed.attend(scan(name="blocks")(y, None)[0])
        for i in range(2):
            y, _ = Block(name=f"block{i}")(y)
        return embed.attend(y)


TOKENS = jnp.arange(10, dtype=jnp.int32).reshape(2, 5)


def weights_of():
    """The same weights, scanned and in a loop; the second block's are a hundredth of the first's."""
    params = Tied(True).init(jax.random.key(0), TOKENS)["params"]
    params["blocks"] = jax.tree.map(
        lambda w: w * jnp.float32([1, 0.01]).reshape(2, *[1] * (w.ndim - 1)), params["blocks"]
    )
    looped = {f"block{i}": jax.tree.map(lambda w: w[i], params["blocks"]) for i in range(2)}  # noqa: B023
    return {True: params, False: {"embed": params["embed"], **looped}}


def rounded(method, scanned, bits):
    """{path: weight that runs}, that of a stack by path and index; the state."""
    params = weights_of()[scanned]
    problem = Problem(Tied(scanned), TOKENS[:1], [{"x": TOKENS}], None, steps=0)
    _, variables, state = method.init(jax.random.key(0), problem, {"params": params}, (jnp.float32(bits),))
    *_, state = method.settle(jax.random.key(0), problem, variables, state, 1)
    leaves = flatten(method.view(state, variables)["params"])
    stacks = {p: leaves.pop(p) for p in list(leaves) if p.startswith("blocks/")}
    return leaves | {p.replace("blocks", f"block{i}"): w[i] for p, w in stacks.items() for i in range(2)}, state


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("make", [rtn, lambda: lsq(activations=False)])
def test_a_scanned_net_is_rounded_as_the_looped_one(make, bits):
    scanned, looped = rounded(make(), True, bits)[0], rounded(make(), False, bits)[0]
    assert scanned.keys() == looped.keys()
    for path, weight in looped.items():
        assert_array_equal(scanned[path], weight, err_msg=path)
    assert np.count_nonzero(scanned["block1/heads/kernel"]) > 0


def test_scales_by_hand():
    """One for each row of the table, which is tied; for each block, head and unit; for each block and output."""
    scales = {path: grid.scale.shape for path, grid in rounded(rtn(), True, 4)[1].fixed.grids.weights.items()}
    assert scales == {
        "embed/embedding": (11, 1),
        "blocks/heads/kernel": (2, 1, 2, 4),
        "blocks/out/kernel": (2, 1, 1, 8),
    }


def test_a_step_size_for_each_stacked_layer():
    state = rounded(lsq(activations=False), True, 4)[1]
    steps = {path: step.shape for path, step in state.train["weights"].items()}
    assert steps == {"embed/embedding": (), "blocks/heads/kernel": (2, 1, 1, 1), "blocks/out/kernel": (2, 1, 1, 1)}
    assert state.fixed.weights["blocks/heads/kernel"].gain == pytest.approx((64 * 7) ** -0.5)  # N of one layer


def slopes(scanned):
    """Gradients of the log steps, of the sum of squares of what runs."""
    method, params = lsq(activations=False), weights_of()[scanned]
    state = rounded(method, scanned, 4)[1]
    fixed = state.fixed._replace(grids=None)  # as in training

    def squares(train):
        seen = method.view(State(train, fixed), {"params": params})["params"]
        return sum((w**2).sum() for w in flatten(seen).values())

    return jax.grad(squares)(state.train)["weights"]


def test_the_steps_of_stacked_layers_are_trained_apart():
    stack, looped = slopes(True)["blocks/heads/kernel"], slopes(False)
    for i in range(2):
        np.testing.assert_allclose(stack[i].item(), looped[f"block{i}/heads/kernel"], rtol=1e-4)


@pytest.mark.parametrize("make", [rtn, rtn_static, lsq])
def test_edges_are_one_rule_for_all(mlp, make):
    """By default no exception; else the weights used first and last, and the inputs of their modules."""
    problem = Problem(mlp.net, mlp.x[:1], [{"x": mlp.x}], None, steps=0)

    def levels(edge_bits, bits):
        method = make(edge_bits=edge_bits)
        _, variables, state = method.init(jax.random.key(0), problem, mlp.variables, (jnp.float32(bits),))
        grids = method.settle(jax.random.key(0), problem, variables, state, 1)[2].fixed.grids
        found = [
            (p, grid) for p, grid in (grids.weights | {path: grid for path, (grid,) in grids.inputs.items()}).items()
        ]
        of_module = {}
        for path, grid in found:
            of_module.setdefault(module_of(path) if path in grids.weights else path, set()).add(
                int(np.ceil(np.log2(grid.high - grid.low + 1)))
            )
        return of_module

    assert levels(0, 3) == {"dense1": {3}, "dense2": {3}, "head": {3}}
    assert levels(8, 3) == {"dense1": {8}, "dense2": {3}, "head": {8}}
    assert levels(4, 5) == {"dense1": {5}, "dense2": {5}, "head": {5}}  # the strength is more
