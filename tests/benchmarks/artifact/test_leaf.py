"""The forms in which a leaf is stored: the smallest is taken, and every bit comes back."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.artifact.leaf import decode, encode
from tests.benchmarks.artifact.leaves import assert_same, quantized, sparse


@pytest.mark.parametrize(
    ("values", "form", "nbytes"),
    [
        (np.ones((8, 16), np.float32), "dense", 512),
        (sparse(10, 0), "dense", 40),  # 128 bytes of overhead would not pay
        (sparse(4000, 2000), "mask", 500 + 8000),
        (np.resize(np.float32([0, 0, 0, 1]), 4000), "gaps", 1000 * 2 // 8 + 4000),  # every gap is 3: 2 bits
        (np.zeros(4000, np.float32), "gaps", 0),
    ],
)
def test_the_smallest_form_is_chosen(values, form, nbytes):
    leaf, parts = encode(jnp.asarray(values))
    assert (leaf.form if leaf else "dense") == form
    assert sum(part.nbytes for part in parts.values()) == nbytes
    assert_same(decode(leaf, parts), jnp.asarray(values))


def test_negative_zero_and_nan_survive_in_a_sparse_float():
    values = np.zeros(4000, np.float32)
    values[[3, 70]] = -0.0, np.nan
    leaf, parts = encode(jnp.asarray(values))
    assert (leaf.form, leaf.kept) == ("gaps", 2)
    assert_same(decode(leaf, parts), jnp.asarray(values))


CODES = np.random.default_rng(3).integers(0, 4, (50, 80))
LONELY = np.where(np.arange(4000).reshape(50, 80) % 400 == 9, 2, 0)


@pytest.mark.parametrize("leaf_form", [CODES, LONELY, CODES * (np.arange(80) % 2)], ids=["dense", "gaps", "mask"])
@pytest.mark.parametrize("bits", [2, 5, 8, 11, 16])
@pytest.mark.parametrize("zero_point", [0, 3, -3, [[1.0] * 80], [[float(c % 3) for c in range(80)]], 0.5, -0.0, 70000])
def test_quantized_comes_back_bit_exact(leaf_form, bits, zero_point):
    low = -(2 ** (bits - 1))
    codes = np.clip(leaf_form + (zero_point if isinstance(zero_point, int) else 0), low, low + 2**bits - 1)
    scale = np.random.default_rng(4).uniform(0.1, 1, (1, 80))
    leaf = quantized(codes, bits, low, scale, zero_point)
    assert_same(decode(*encode(leaf)), leaf)


def test_zero_of_codes_is_the_zero_point():
    leaf, parts = encode(quantized(LONELY + 5, 4, 0, zero_point=5.0))
    assert (leaf.form, leaf.kept) == ("gaps", 10)
    assert parts["zero_point"].dtype == np.int8
    leaf, _ = encode(quantized(LONELY + 5, 4, 0, np.ones((1, 80)), np.float32(5 + np.arange(80)[None] % 2)))
    assert leaf.form == "dense"


@pytest.mark.parametrize(
    ("value", "dtype"), [(-128, "int8"), (200, "uint8"), (-129, "int16"), (65535, "uint16"), (65536, "int32")]
)
def test_zero_point_takes_the_smallest_integer(value, dtype):
    assert encode(quantized(CODES, 2, 0, zero_point=value))[1]["zero_point"].dtype == dtype


def test_positions_outside_the_leaf_are_refused():
    leaf, parts = encode(jnp.asarray(np.resize(np.float32([0, 0, 0, 1]), 4000)))
    shorter = type(leaf)((3999,), "gaps", leaf.kept, leaf.gap_bits)
    with pytest.raises(ValueError, match="gaps does not place 1000 values among 3999"):
        decode(shorter, parts)


@pytest.mark.parametrize(
    ("leaf", "said"),
    [(np.zeros(3), "float64"), (jax.random.key(0), "key<fry>"), (1.0, "float"), ((1.0, 2.0), "tuple")],
)
def test_what_no_array_is_stored_as_is_refused(leaf, said):
    with pytest.raises(ValueError, match=f"a leaf is Quantized or an array of bfloat16, bool.*, uint32, not {said}"):
        encode(leaf)


def test_a_scale_that_does_not_broadcast_is_refused():
    leaf, parts = encode(quantized(CODES, 2, 0, np.ones((1, 80))))
    with pytest.raises(ValueError, match=r"scale of shape \(1, 79\) does not broadcast against \(50, 80\)"):
        decode(leaf, parts | {"scale": np.ones((1, 79), np.float32)})
