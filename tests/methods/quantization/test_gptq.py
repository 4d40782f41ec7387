"""GPTQ against implementations of its own idea: elimination by inverses in NumPy, and Qwix."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from numpy.testing import assert_allclose, assert_array_equal

from methods.arrays.hessian import eliminations
from methods.base import Fallback, Problem, Shipped
from methods.calibration.grams import Gram
from methods.chain import chain
from methods.flaxnet import forward, fresh
from methods.pruning.magnitude import MAGNITUDE
from methods.quantization.gptq import GPTQ, choose, gptq, rounded
from methods.quantization.layerwise import Piece
from methods.quantization.rtn import rtn
from methods.transforms.transform import decoded
from tasks.nets.layers.norm import BatchNorm
from tests.methods.calibration.kinds import KINDS, X
from tests.methods.quantization.settled import settled

RNG = np.random.default_rng(0)


def correlated(rows, n):
    return RNG.normal(size=(rows, n)) @ RNG.normal(size=(n, n)) * np.logspace(0, 1, n)


def eliminated(weights, scale, low, high, gram, damping):
    """Codes of one layer [n, m] by the paper's eqs. 2 and 3: the inverse Hessian loses a row and column each time.

    Weights that are 0 keep code 0.
    """
    w, codes, kept = weights.copy(), np.zeros_like(weights), weights != 0
    inverse = np.linalg.inv(gram + damping * np.mean(np.diag(gram)) * np.eye(len(gram)))
    for i in range(len(w)):
        codes[i] = np.clip(np.round(w[i] / scale[i]), low, high) * kept[i]
        error = (w[i] - codes[i] * scale[i]) / inverse[0, 0]
        w[i:] -= np.outer(inverse[:, 0], error)
        inverse = inverse[1:, 1:] - np.outer(inverse[1:, 0], inverse[0, 1:]) / inverse[0, 0]
    return codes


def objective(codes, scale, weights, gram):
    difference = weights - codes * scale
    return np.sum(difference * (gram @ difference))


@pytest.mark.parametrize(("n", "m", "bits", "pruned"), [(20, 90, 2, 0), (150, 64, 3, 0), (300, 16, 4, 0.5)])
def test_codes_are_those_of_elimination_by_inverses(n, m, bits, pruned):
    x, w = correlated(3 * n, n), RNG.normal(size=(n, m)) * (RNG.uniform(size=(n, m)) >= pruned)
    gram, high = x.T @ x / len(x), 2.0 ** (bits - 1) - 1
    scale = np.broadcast_to(np.abs(w).max(0) / high, w.shape)
    found = rounded(w[None], scale[None], -high, high, eliminations(gram[None], 0.01)[0])[0]
    expected = eliminated(w, scale, -high, high, gram, 0.01)
    assert np.mean(found == expected) >= 0.999
    assert_allclose(objective(found, scale, w, gram), objective(expected, scale, w, gram), rtol=1e-4)
    nearest = np.clip(np.round(w / scale), -high, high)
    assert np.all(found[w == 0] == 0)
    assert objective(found, scale, w, gram) < 0.95 * objective(nearest, scale, w, gram)


@pytest.mark.slow
def test_codes_are_those_of_qwix():
    """On Qwix's grid: it ends half a step past its last code, and has one more below 0."""
    qarray = pytest.importorskip("qwix._src.core.qarray", reason="Qwix is not installed; it is only compared with")
    core = pytest.importorskip("qwix.contrib.gptq_core", reason="this Qwix has no GPTQ")
    x, w = correlated(30, 8), np.float32(RNG.normal(size=(8, 128)))
    gram = x.T @ x / len(x)
    how = qarray.HowToQuantize(qtype=jnp.int4, channelwise_axes=(0,), tiled_axes={}, calibration_method="absmax")
    theirs, _ = core.quantize_weight(jnp.asarray(w.T), jnp.float32(gram), how)
    scale = np.broadcast_to(np.asarray(theirs.scale, np.float64).T, w.shape)
    assert_allclose(scale[0], np.abs(w).max(0) / 7.5, rtol=1e-6)
    found = rounded(np.float64(w)[None], scale[None], -8, 7, eliminations(gram[None], 0.01)[0])[0]
    expected = np.asarray(theirs.qvalue, np.float64).T
    assert np.mean(found == expected) >= 0.999
    assert_allclose(objective(found, scale, w, gram), objective(expected, scale, w, gram), rtol=1e-4)


def test_two_weights_by_hand():
    """H⁻¹ = UᵀU with U = [[1, 1/2], [0, 1]]: of an error of 0.4 half is passed on, with its sign turned.

    0.4 becomes 0 and leaves 0.4; 0.4 - 0.4 / 2 = 0.2 becomes 0. With -0.4 first: 0.4 + 0.2 = 0.6 becomes 1.
    """
    u, scale = np.array([[[1.0, 0.5], [0.0, 1.0]]]), np.ones((1, 2, 2))
    weights = np.array([[[0.4, -0.4], [0.4, 0.4]]])
    assert_array_equal(rounded(weights, scale, -7, 7, u), [[[0, 0], [0, 1]]])


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_net_is_closer_to_the_dense_one_than_by_rounding_to_nearest(name):
    kind = KINDS[name]
    variables = fresh(kind.net, jax.random.key(0), X)
    batches = [{"x": X[:2]}, {"x": X[2:]}]
    run = jax.jit(lambda variables: forward(kind.net, variables, X)[0])
    errors = {}
    for method in (gptq(), rtn()):
        shipped, _, told = settled(method, kind.net, variables, batches, 3)
        errors[method] = np.mean(np.square(run(decoded(shipped.variables)) - run(variables)))
        assert told == []
    ours, nearest = errors.values()
    assert ours <= nearest


def test_the_largest_inputs_come_first_on_demand():
    """As if the weight had its inputs in that order."""
    x, w = correlated(90, 30), RNG.normal(size=(30, 12))
    x[:, 7] = 0
    gram, scale = x.T @ x / len(x), np.broadcast_to(np.abs(w).max(0) / 3, w.shape)
    order = np.argsort(-np.diag(gram), kind="stable")
    sorted_piece = Piece(w[None, order], scale[None], -3, 3, Gram(gram[None][:, order][:, :, order], gram), 90)
    piece = Piece(w[None], scale[None], -3, 3, Gram(gram[None], gram), 90)
    problem = Problem(None, None, [], None, 0)
    found = choose(True, 0.01, problem, "", piece)
    assert_array_equal(found[0, order], choose(False, 0.01, problem, "", sorted_piece)[0])
    assert not np.array_equal(found, choose(False, 0.01, problem, "", piece))
    assert_array_equal(found[0, 7], np.clip(np.round(w[7] / scale[7]), -3, 3))  # nothing is known of this input


def test_more_damping_than_was_asked_for_is_said():
    gram = np.array([[[1.0, 3.0], [3.0, 1.0]]])
    piece = Piece(np.ones((1, 2, 1)), np.ones((1, 2, 1)), -1, 1, Gram(gram, gram), 2)
    with pytest.warns(Fallback, match="a/kernel: its Hessian is damped by 10 of its mean diagonal instead of 0.01"):
        choose(False, 0.01, Problem(None, None, [], None, 0), "a/kernel", piece)


class Normed(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        return BatchNorm(name="norm")(nn.Dense(3, name="d", use_bias=False)(x), train)


def test_running_statistics_are_those_of_the_rounded_net():
    variables = fresh(Normed(), jax.random.key(0), X[:, 0])
    shipped, weights, _ = settled(gptq(), Normed(), variables, [{"x": X[:, 0]}], 2)
    out = X[:, 0] @ np.asarray(weights["d/kernel"])
    assert_allclose(shipped.variables["batch_stats"]["norm"]["mean"], out.mean(0), rtol=1e-4)
    assert_allclose(shipped.variables["batch_stats"]["norm"]["var"], out.var(0), rtol=1e-4, atol=1e-6)


class Dense(nn.Module):
    outputs: int

    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.Dense(self.outputs, name="d", use_bias=False)(x)


def test_only_weights_that_were_0_count_as_pruned():
    """GPTQ behind pruning: what was pruned stays 0; what is rounded to 0 beside it is not pruned."""
    kernel = np.float32(RNG.normal(size=(32, 64)) * (RNG.uniform(size=(32, 64)) < 0.5))
    x = np.float32(correlated(64, 32))
    shipped, weights, _ = settled(gptq(), Dense(64), {"params": {"d": {"kernel": jnp.asarray(kernel)}}}, [{"x": x}], 2)
    found = weights["d/kernel"]
    assert np.all(found[kernel == 0] == 0)
    assert np.sum(found == 0) > np.sum(kernel == 0)
    assert shipped.variables["params"]["d"]["kernel"].pruned == np.sum(kernel == 0)


def test_groups_have_scales_of_their_own():
    """4 inputs in groups of 2, 2 bits: codes are -1, 0 and 1, and the scale is the largest weight of a group."""
    kernel = np.float32([[1.0, 0.1], [0.2, 0.3], [8.0, 0.02], [-3.0, -0.05]])
    x = np.eye(4, dtype=np.float32)
    shipped, weights, _ = settled(gptq(group=2), Dense(2), {"params": {"d": {"kernel": kernel}}}, [{"x": x}], 2)
    assert_allclose(weights["d/kernel"], [[1, 0], [0, 0.3], [8, 0], [0, -0.05]], rtol=1e-6)
    assert_allclose(shipped.variables["params"]["d"]["kernel"].scale, [[1, 0.3], [8, 0.05]], rtol=1e-6)


def test_behind_pruning_in_a_chain():
    """The masks of the part before are looked through; the stored weights stay as they are."""
    kernel, x = jnp.float32(RNG.normal(size=(32, 64))), np.float32(correlated(64, 32))
    variables, method = {"params": {"d": {"kernel": kernel}}}, chain(MAGNITUDE, GPTQ, sweep=((0.5, 3),)).make()
    problem = Problem(Dense(64), x[:1], [{"x": x}], lambda out, batch: jnp.mean(out), 0)
    net, variables, state = method.init(jax.random.key(0), problem, variables, (jnp.float32(0.5), jnp.float32(3)))
    net, variables, state = method.settle(jax.random.key(0), problem, variables, state, 1)
    assert_array_equal(variables["params"]["d"]["kernel"], kernel)
    seen = method.view(state, variables)["params"]["d"]["kernel"]
    assert_array_equal(seen[jnp.abs(kernel) < jnp.median(jnp.abs(kernel))], 0)
    shipped = method.export(state, Shipped(net, variables)).variables["params"]["d"]["kernel"]
    assert_array_equal(shipped.unpack(), seen)
    assert shipped.pruned == kernel.size // 2
    nearest = shipped.scale * jnp.round(jnp.where(seen == 0, 0, kernel) / shipped.scale)
    assert not np.array_equal(seen, nearest)
