"""Which modules read the same array, and which module made it."""

import jax
import jax.numpy as jnp
from flax import linen as nn

from methods.uses.sources import Source, sources
from tasks.nets.encoder import encoder
from tests.methods.calibration.kinds import KINDS, X


def sources_of(net, x, paths):
    return sources(net, jax.eval_shape(lambda: net.init(jax.random.key(0), x)), x, paths)


def test_layers_of_a_block_read_its_norms():
    net, x = encoder(vocabulary=7, context=4, layers=1, width=8, heads=2, classes=3), jnp.zeros((1, 4), jnp.int32)
    attention = [f"block0/attention/{name}" for name in ("query", "key", "value", "out")]
    assert sources_of(net, x, [*attention, "block0/up", "block0/down", "block0/norm1", "token"]) == [
        Source(("token",), None),
        Source(("block0/norm1",), None),
        Source(tuple(attention[:3]), "block0/norm1"),
        Source((attention[3],), None),
        Source(("block0/up",), "block0/norm2"),
        Source(("block0/down",), None),
    ]


class Norms(nn.Module):
    """A norm, and a copy of what it made, read by layers."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        y = nn.LayerNorm(name="norm")(x)
        first = nn.Dense(3, name="a")(y) + nn.Dense(3, name="b")(nn.Dropout(0.5)(y, deterministic=True))
        return first + nn.Dense(3, name="c")(1 * y) + nn.remat(nn.Dense)(3, name="d")(y)


def test_an_array_is_the_same_only_if_nothing_lies_between():
    """Dropout that is off hands on what it is given; a product, and a call that is lifted by itself, make another."""
    found = sources_of(Norms(), X, list("abcd"))
    assert found == [Source(("a", "b"), "norm"), Source(("c",), None), Source(("d",), None)]


class Block(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Dense(3, name="dense")(nn.LayerNorm(name="norm")(x))


class Lifted(nn.Module):
    """Blocks that are lifted as a whole."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.remat(Block)(name="a")(x) + nn.jit(Block)(name="b")(x)


def test_within_a_lifted_block_arrays_are_followed():
    found = sources_of(Lifted(), X, ["a/dense", "b/dense"])
    assert found == [Source(("a/dense",), "a/norm"), Source(("b/dense",), "b/norm")]


class Twice(nn.Module):
    """A layer that reads two norms, and one beside it that reads one of them."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        shared, y, z = nn.Dense(3, name="shared"), nn.LayerNorm(name="first")(x), nn.LayerNorm(name="second")(x)
        return nn.Dense(3, name="alone")(y) + shared(y) + shared(z)


def test_a_layer_of_two_arrays_joins_their_readers_and_has_no_single_maker():
    assert sources_of(Twice(), X, ["alone", "shared"]) == [Source(("alone", "shared"), None)]


def test_layers_in_a_loop_have_sources_of_their_own():
    assert sources_of(KINDS["scanned"].net, X, ["layers/d"]) == [Source(("layers/d",), None)]
    assert sources_of(KINDS["recurrent"].net, X, ["cell/ir", "cell/in"]) == [Source(("cell/ir", "cell/in"), None)]
