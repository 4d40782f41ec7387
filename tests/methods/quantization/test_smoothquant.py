"""SmoothQuant: s by hand and in NumPy, outliers that it takes out of inputs, and what it makes of a chain."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from methods.base import Description, Entry, Method, Problem, Shipped, State
from methods.chain import chain
from methods.flaxnet import forward, transform_inputs
from methods.paths import BLOCKS, flatten, replace, unflatten, with_params
from methods.quantization.rtn import rtn_static
from methods.quantization.smoothquant import SMOOTHQUANT_BLOCKS, smoothed, smoothing, smoothquant
from methods.transforms.divisions import Divide
from methods.transforms.grids import Quantizer
from tasks.nets.encoder import encoder

RNG = np.random.default_rng(0)
NET = encoder(vocabulary=11, context=6, layers=1, width=16, heads=2, classes=3)
TOKENS = RNG.integers(1, 11, (64, 6)).astype(np.int32)
PROBLEM = Problem(NET, TOKENS[:1], [{"x": TOKENS[:32]}, {"x": TOKENS[32:]}], None, 0)
READERS = [f"block0/attention/{name}/kernel" for name in ("query", "key", "value")]
NORM, OUTLIER = [f"block0/norm1/{leaf}" for leaf in ("scale", "bias")], 5


def born():
    shapes = jax.eval_shape(lambda: NET.init(jax.random.key(0), TOKENS[:1]))
    return unflatten({path: jnp.float32(RNG.normal(0, 0.3, a.shape)) for path, a in flatten(shapes).items()})


PLAIN = born()


def planted():
    """The same function with an outlier: 50 times one channel of a norm, a 50th of the weights that read it."""
    leaves = flatten(PLAIN["params"])
    new = {path: leaves[path].at[OUTLIER].multiply(50) for path in NORM}
    new |= {path: leaves[path].at[OUTLIER].divide(50) for path in READERS}
    return with_params(PLAIN, replace(PLAIN["params"], new))


PLANTED = planted()


@jax.jit
def outputs(variables, divisions):
    return forward(NET, variables, TOKENS, tap=transform_inputs(divisions))[0]


@partial(jax.jit, static_argnums=0)
def simulated(method, state, variables):
    return forward(NET, method.view(state, variables), TOKENS, tap=method.tap(state))[0]


def error(method, variables):
    """Root mean square of what rounding to 8 bits changes, relative to the outputs' spread."""
    state = method.init(None, PROBLEM, variables, (jnp.float32(8),))[2]
    _, variables, state = method.settle(None, PROBLEM, variables, state, 1)
    plain = outputs(PLAIN, {})
    return float(np.sqrt(np.mean(np.square(simulated(method, state, variables) - plain))) / np.std(plain))


def test_smoothing_by_hand():
    """√(16 / 4) and √(1 / 4); a channel that is never seen, and one without weights, stay."""
    inputs, weights = jnp.float32([16, 1, 0, 3]), jnp.float32([4, 4, 2, 0])
    assert_allclose(smoothing(inputs, weights, 0.5), [2, 0.5, 1, 1])
    assert_allclose(smoothing(inputs, weights, 1.0), [16, 1, 1, 1])
    assert_allclose(smoothing(inputs, weights, 0.0), [0.25, 0.25, 1, 1])


def in_numpy(variables, alpha):
    """`smooth_ln_fcs` of the authors' repository: what norm and weights become, by path, in float64."""
    leaves = {path: np.float64(a) for path, a in flatten(variables["params"]).items()}
    x = leaves["token/embedding"][TOKENS] + leaves["position/embedding"]
    normal = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6)
    made = normal * leaves[NORM[0]] + leaves[NORM[1]]
    acts = np.abs(made).max((0, 1))
    peaks = np.max([np.abs(leaves[path]).max(1) for path in READERS], 0)
    s = acts**alpha / peaks ** (1 - alpha)
    return {path: leaves[path] / s for path in NORM} | {path: leaves[path] * s[:, None] for path in READERS}


@pytest.mark.parametrize("alpha", [0.5, 0.8])
def test_norm_and_weights_are_those_of_numpy(alpha):
    found = flatten(smoothed(PROBLEM, PLANTED, BLOCKS, alpha)[0]["params"])
    for path, expected in in_numpy(PLANTED, alpha).items():
        assert_allclose(found[path], expected, rtol=1e-4, err_msg=path)


def test_the_net_is_the_function_it_was():
    variables, divisions = smoothed(PROBLEM, PLANTED, BLOCKS, 0.5)
    assert sorted(divisions) == ["block0/attention/out", "block0/down"]
    assert_allclose(outputs(variables, divisions), outputs(PLANTED, {}), rtol=1e-5, atol=1e-5)


def test_a_planted_outlier_hurts_rounding_and_not_smoothquant():
    static, smooth = rtn_static(BLOCKS), smoothquant(BLOCKS)
    plain, hurt, fine = error(static, PLAIN), error(static, PLANTED), error(smooth, PLANTED)
    assert plain < 0.005
    assert hurt > 5 * plain
    assert fine < 1.5 * plain
    assert_allclose(fine, error(smooth, PLAIN), rtol=0.01)


def test_a_division_comes_before_the_grid_of_what_is_divided():
    """Norms hold the divisions of what they make, and what they make has a grid alone."""
    method = smoothquant(BLOCKS)
    state = method.init(None, PROBLEM, PLANTED, (jnp.float32(8),))[2]
    net, variables, state = method.settle(None, PROBLEM, PLANTED, state, 1)
    inputs = method.export(state, Shipped(net, variables)).inputs
    kinds = {path: tuple(map(type, one)) for path, one in inputs.items()}
    divided = ("block0/attention/out", "block0/down")
    assert kinds == {path: (Divide, Quantizer) if path in divided else (Quantizer,) for path in kinds}
    assert len(kinds) == 6


def halves(leaf):
    return leaf * (jnp.arange(leaf.size).reshape(leaf.shape) % 2)


def masks(state, variables):
    kernels = {path: halves(leaf) for path, leaf in flatten(variables["params"]).items() if path in READERS}
    return with_params(variables, replace(variables["params"], kernels))


MASKED = Entry(lambda: Method(view=masks), Description("pruning", (), ((),), changes=frozenset({"weights"})))


def test_in_a_chain_weights_are_smoothed_as_the_part_before_makes_them():
    """Peaks are those of weights that are kept, and what was masked stays so."""
    method = chain(MASKED, SMOOTHQUANT_BLOCKS, sweep=((8,),)).make()
    _, variables, state = method.init(jax.random.key(0), PROBLEM, PLANTED, (jnp.float32(8),))
    _, variables, state = method.settle(jax.random.key(0), PROBLEM, variables, state, 1)
    seen, stored = (flatten(tree["params"]) for tree in (method.view(state, variables), variables))
    for path, expected in in_numpy(masks(State(), PLANTED), 0.5).items():
        assert_allclose(stored[path], expected, rtol=1e-4, err_msg=path)
    for path in READERS:
        assert not np.any(np.asarray(seen[path])[np.asarray(stored[path]) == 0])
        assert np.count_nonzero(seen[path]) > 0.9 * stored[path].size / 2
