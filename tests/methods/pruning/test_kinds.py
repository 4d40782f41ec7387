"""What is sparse from birth on nets of every kind: exact counts, and scores that are numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from methods.arrays.allocation import kept_count
from methods.base import Problem
from methods.flaxnet import fresh
from methods.paths import flatten, select
from methods.pruning.rigl import rigl
from methods.pruning.snip import snip
from tasks.nets.bcresnet import bcresnet1
from tasks.nets.encoder import encoder
from tasks.nets.resnet import resnet8
from tests.methods.calibration.kinds import KINDS, X


class Recurrent(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.RNN(nn.GRUCell(6, name="cell"))(x)


RNG = np.random.default_rng(0)
TOKENS = RNG.integers(1, 50, (4, 8), np.int32)
NETS = {
    "residual, batch norm": (resnet8(), np.float32(RNG.normal(size=(2, 8, 8, 3)))),
    "depthwise": (bcresnet1(), np.float32(RNG.normal(size=(2, 12, 40, 1)))),
    "transformer": (encoder(50, 8, 1, 12, 2, 2), TOKENS),
    "recurrent": (Recurrent(), np.float32(RNG.normal(size=(3, 5, 8)))),
    **{name: (KINDS[name].net, X) for name in ("shared", "experts", "scanned", "tied")},
}


@pytest.fixture(scope="module", params=NETS)
def problem(request):
    net, x = NETS[request.param]
    return Problem(
        net, x[:1], [{"x": x}], lambda out, batch: jnp.mean(out**2), 6, born=fresh(net, jax.random.key(0), x)
    )


def test_snip_keeps_exactly_as_many_where_the_loss_depends_on_them(problem):
    _, variables, state = snip().init(jax.random.key(0), problem, problem.born, (jnp.float32(0.7),))
    size = sum(mask.size for mask in state.fixed.values())
    assert sum(int(mask.sum()) for mask in state.fixed.values()) == kept_count(0.7, size)
    seen = flatten(snip().view(state, variables)["params"])
    assert all(not np.any(np.asarray(seen[path])[~np.asarray(mask)]) for path, mask in state.fixed.items())


def test_rigl_keeps_exactly_as_many_of_each_layer_while_it_moves(problem):
    method, params = rigl(), problem.born["params"]
    _, _, state = method.init(jax.random.key(0), problem, problem.born, (jnp.float32(0.7),))
    counts = {path: int(mask.sum()) for path, mask in state.fixed.masks.items()}
    assert sum(counts.values()) == kept_count(0.7, sum(w.size for w in select(params).values()))
    grads = jax.tree.map(lambda w: jnp.asarray(RNG.normal(size=w.shape), w.dtype), params)
    after, renewed, _ = jax.jit(method.update)(state, None, params, grads, jnp.int32(1))
    assert {path: int(mask.sum()) for path, mask in after.fixed.masks.items()} == counts
    moved = {path: np.asarray(mask ^ state.fixed.masks[path]) for path, mask in after.fixed.masks.items()}
    assert any(places.any() for places in moved.values())
    for path, places in moved.items():
        grown = places & np.asarray(after.fixed.masks[path])
        assert not np.any(np.asarray(flatten(renewed)[path])[grown])
