"""N:M weights as they ship: values and places by hand, whatever the axes, and in a file."""

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from benchmarks.artifact.file import read_artifact, write_artifact
from methods.arrays.patterns import Pattern, pattern_mask
from methods.base import Shipped
from methods.transforms.patterned import pack_pattern
from tasks.nets.mlp import MLP


def masked(shape, axes, pattern):
    x = jnp.asarray(np.random.default_rng(0).normal(size=shape), jnp.float32)
    return jnp.where(pattern_mask(jnp.abs(x), axes, pattern), x, 0)


def same_bits(a, b):
    assert np.asarray(a).tobytes() == np.asarray(b).tobytes()


def test_values_and_places_by_hand():
    packed = pack_pattern(jnp.float32([[0, 5], [7, 0], [0, -6], [-8, 0], [3, 4]]), (0,), Pattern(2, 4))
    assert_array_equal(packed.values, [[[7, 5], [-8, -6]]])
    assert_array_equal(packed.places.values, [[[1, 0], [3, 2]]])
    assert_array_equal(packed.rest, [[3, 4]])
    assert (packed.places.bits, packed.bits, packed.shape, packed.pruned) == (2, 32, (5, 2), 4)
    assert packed.nbytes == 4 * 4 + 1 + 2 * 4  # four values, four places of 2 bits, two that are left over


@pytest.mark.parametrize(("pattern", "bits"), [(Pattern(2, 4), 2), (Pattern(4, 8), 3)])
@pytest.mark.parametrize(
    ("shape", "axes"), [((32, 5), (0,)), ((5, 32), (1,)), ((3, 3, 8, 6), (0, 1, 2)), ((3, 3, 5, 8), (0, 1, 3))]
)
def test_what_is_unpacked_is_the_weight(shape, axes, pattern, bits):
    x = masked(shape, axes, pattern)
    packed = pack_pattern(x, axes, pattern)
    same_bits(packed.unpack(), x)
    assert (packed.shape, packed.places.bits, packed.pruned) == (shape, bits, x.size // 2)
    assert packed.nbytes == x.size // 2 * 4 + -(-x.size // 2 * bits // 8)


def test_zeros_among_the_kept_and_half_precision_survive():
    x = jnp.zeros((8, 1), jnp.bfloat16).at[1].set(-0.0).at[6].set(2)
    packed = pack_pattern(x, (0,), Pattern(2, 4))
    same_bits(packed.unpack(), x)
    assert (packed.bits, packed.pruned, packed.dtype) == (16, 7, "bfloat16")


def test_a_weight_without_a_whole_group_ships_as_it_is():
    x = jnp.ones((3, 5))
    assert pack_pattern(x, (0,), Pattern(2, 4)) is x


def test_a_weight_that_does_not_have_the_pattern_is_refused():
    with pytest.raises(ValueError, match=r"^a weight has more than 2 of 4 numbers that are not 0$"):
        pack_pattern(jnp.ones((8, 5)), (0,), Pattern(2, 4))


@pytest.mark.parametrize(("pattern", "bits"), [(Pattern(2, 4), 2), (Pattern(4, 8), 3)])
def test_bytes_of_a_file_are_those_of_values_and_places(pattern, bits, tmp_path):
    net, x = MLP(256, (64,), 2), masked((256, 64), (0,), pattern)
    kernels = {"dense1": pack_pattern(x, (0,), pattern), "head": jnp.zeros((64, 2))}
    params = {name: {"kernel": kernel, "bias": jnp.zeros(kernel.shape[1])} for name, kernel in kernels.items()}
    write_artifact(tmp_path / "a", Shipped(net, {"params": params}), jnp.ones((1, 256)))
    read = read_artifact(tmp_path / "a")
    same_bits(read.shipped.variables["params"]["dense1"]["kernel"].unpack(), x)
    expected = 256 * 64 // 2 * 4 + 256 * 64 // 2 * bits // 8
    assert 0.99 * expected <= (tmp_path / "a").stat().st_size <= expected + 600
