"""The forms in which a leaf is stored: the smallest is taken, and every bit comes back."""

import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.artifact import leaf as leaves
from benchmarks.artifact.body import Sink, Source
from benchmarks.artifact.numbers import Cells, Packed, Rice
from methods.transforms.grids import Quantized
from methods.transforms.transform import Codes, coded
from tests.benchmarks.artifact.leaves import assert_same, quantized, sparse


def read(source, shape, dtype):
    return leaves.read(source, source.number(), shape, np.dtype(dtype))


def through(leaf):
    """(description, leaf as it is read, bytes)."""
    sink = Sink()
    leaves.encode(leaf, sink)
    body = sink.close()
    values = leaf.codes if isinstance(leaf, Quantized) else leaf.values if isinstance(leaf, Codes) else leaf
    dtype = leaf.dtype if isinstance(leaf, Quantized) else str(values.dtype)
    source = Source(body, 0)
    described = read(source, values.shape, jnp.dtype(dtype))
    source.open()
    found = leaves.decode(described, source)
    source.close()
    return described, found, len(body)


EVERY = np.resize(np.float32([0, 0, 0, 1]), 4000)  # every gap is 3


@pytest.mark.parametrize(
    ("values", "gaps", "nbytes"),
    [
        (np.ones((8, 16), np.float32), None, 512),
        (np.float32([0, 0, 3]), Rice, 4 + 3),  # the value; how many, low bits and bytes of the gap; the gap
        (sparse(4000, 2000), Rice, 8000 + 500),  # half is kept: the mask
        (EVERY, Cells, 4000 + 3 + 4),  # four levels of 6 bits, a state, and no bit for a gap
        (np.zeros(4000, np.float32), Rice, 0),
    ],
)
def test_the_smallest_form_is_chosen(values, gaps, nbytes):
    described, found, size = through(jnp.asarray(values))
    assert (type(described.values.gaps) if described.values.gaps else None) == gaps
    assert nbytes <= size <= nbytes + 8
    assert_same(found, jnp.asarray(values))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32", "complex64", "int32", "uint8"])
def test_zeros_are_left_out_in_any_dtype(dtype):
    values = jnp.asarray(sparse(4000, 100)).astype(dtype)
    described, found, size = through(values)
    assert described.values.kept == 100
    assert size < 100 * (values.dtype.itemsize + 1)
    assert_same(found, values)


def test_negative_zero_and_nan_survive_in_a_sparse_float():
    values = np.zeros(4000, np.float32)
    values[[3, 70, 71]] = -0.0, np.nan, np.array([0x7FC00123], np.uint32).view(np.float32)[0]
    described, found, _ = through(jnp.asarray(values))
    assert described.values.kept == 3
    assert_same(found, jnp.asarray(values))


CODES = np.random.default_rng(3).integers(0, 4, (50, 80))
LONELY = np.where(np.arange(4000).reshape(50, 80) % 400 == 9, 2, 0)
BELL = np.clip(np.round(np.random.default_rng(5).normal(size=(50, 80)) / 3), -2, 1).astype(int)


@pytest.mark.parametrize(
    "codes", [CODES, LONELY, CODES * (np.arange(80) % 2), BELL], ids=["flat", "few", "half", "bell"]
)
@pytest.mark.parametrize("bits", [2, 5, 8, 11, 16, 32])
@pytest.mark.parametrize("zero_point", [0, 3, -3, [[1.0] * 80], [[float(c % 3) for c in range(80)]], 0.5, -0.0, 70000])
def test_quantized_comes_back_bit_exact(codes, bits, zero_point):
    low = -(2 ** (bits - 1))
    codes = np.clip(codes + (zero_point if isinstance(zero_point, int) else 0), low, low + 2**bits - 1)
    scale = np.random.default_rng(4).uniform(0.1, 1, (1, 80))
    leaf = quantized(codes, bits, low, scale, zero_point).replace(pruned=jnp.int32(17))
    assert_same(through(leaf)[1], leaf)


@pytest.mark.parametrize("shape", [(1,), (80,), (1, 80), (50, 1), (1, 1), (50, 80)])
def test_scales_of_any_shape_that_broadcasts(shape):
    leaf = quantized(CODES, 3, -2, np.random.default_rng(4).uniform(0.1, 1, shape), 2.0)
    assert_same(through(leaf)[1], leaf)
    shifted = leaf.replace(zero_point=jnp.full((50, 1), 3.0))
    assert_same(through(shifted)[1], shifted)


@pytest.mark.parametrize(
    ("codes", "values", "gaps"), [(CODES - 2, Packed, None), (BELL, Cells, None), (LONELY - 2, Packed, Rice)]
)
def test_how_codes_are_stored(codes, values, gaps):
    described, _, size = through(quantized(codes, 2, -2))
    found = described.values
    assert (type(found.coding), type(found.gaps) if found.gaps else None) == (values, gaps)
    assert size <= 1000 + 7 + 4  # description and scale


@pytest.mark.parametrize("pruned", [None, 0, 3998, 4000])
def test_pruned_weights_are_counted(pruned):
    leaf = quantized(LONELY, 2, -1).replace(pruned=None if pruned is None else jnp.int32(pruned))
    assert_same(through(leaf)[1], leaf)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(-128, "int8"), (200, "uint8"), (-129, "int16"), (65535, "uint16"), (65536, "int32"), (0.5, "f4")],
)
def test_zero_point_takes_the_smallest_dtype(value, dtype):
    assert through(quantized(CODES, 2, 0, zero_point=value))[0].zero_point == (np.dtype(dtype), ())


def test_descriptions_by_hand():
    """12 codes, at 3 bits from -3 on around 0, of which 2 were pruned, with a scale for each of 4 columns."""
    codes = np.array([[-3, -2, -1, 0], [1, 2, 3, -3], [-2, -1, 0, 1]])
    sink = Sink()
    leaves.encode(quantized(codes, 3, -3, np.ones((1, 4))).replace(pruned=jnp.int32(2)), sink)
    description, values = bytes([8, 3, 2, 1, 3, 0b101, 0]), np.ones(4, np.float32).tobytes()
    # 0 to 6, then 0 to 4, from the highest bit on: 100 011 010 001 000 110 101 100 011 010 001 000
    assert sink.close() == description + bytes([0b10001000, 0b11000110, 0b00011010, 0b11010001, 0b1000]) + values


@pytest.mark.parametrize(
    ("description", "why"),
    [
        ([3], "there is no form 3"),
        ([4], "there is no form 4"),
        ([16], "there is no form 16"),
        ([40, 3], "there is no form 40"),
        ([64], "there is no form 64"),
        ([8, 0], "codes are 1 to 32 bits wide, not 0"),
        ([8, 33], "codes are 1 to 32 bits wide, not 33"),
        ([8, 3, 0, 9, 0, 1], "there are no codes of 3 bits from -4 on around -5"),
        ([8, 3, 0, 8, 0, 1], "there are no codes of 3 bits from -4 on around 4"),
        ([8, 3, 0, 0, 14, 1], "13 of 12 weights cannot be pruned"),
        ([8, 3, 0, 0, 0, 0], "an array of -1 axes does not broadcast"),
        ([8, 3, 0, 0, 0, 8], "an array of 3 axes does not broadcast"),
        ([24, 3, 0, 0, 0, 1, 6, 1], "zero points have no dtype 6"),
        ([1, 13], "keeps 13 of 12 values"),
        ([1, 1, 33, 1], "gaps have at most 32 low bits, not 33"),
        ([2, 1, 8, 0], "cells have a grain from 0 to 7, not 8"),
        ([2, 0, 0, 0], "0 symbols of an alphabet of 1 cannot be coded"),
        ([12, 3, 0, 0, 0, 1, 0, 128, 2], "12 symbols of an alphabet of 257 cannot be coded"),
        ([1], "ends within its description"),
    ],
)
def test_descriptions_that_fit_no_leaf_are_refused(description, why):
    with pytest.raises(ValueError, match=why):
        read(Source(bytes(description), 0), (3, 4), "float32")


@pytest.mark.parametrize(
    ("form", "dtype", "why"),
    [
        (8, "int32", "a leaf is an array of .*, not int32"),
        (0, "float64", ".*, not float64"),
        (32, "float32", "or Codes of uint8, uint16, uint32, not float32"),
    ],
)
def test_dtypes_that_cannot_be_are_refused(form, dtype, why):
    with pytest.raises(ValueError, match=why):
        read(Source(bytes([form]), 0), (3,), dtype)


def test_gaps_outside_the_leaf_are_refused():
    source = Source(bytes([1, 1, 0, 2, 0]) + bytes([0, 0b10000]) + bytes(4), 0)
    described = read(source, (3, 4), "float32")
    source.open()
    with pytest.raises(ValueError, match="its gaps do not place 1 values among 12"):
        leaves.decode(described, source)


@pytest.mark.parametrize(("bits", "dtype"), [(1, "uint8"), (4, "uint8"), (8, "uint8"), (11, "uint16"), (32, "uint32")])
@pytest.mark.parametrize("values", [CODES, LONELY, np.zeros((0, 3))], ids=["flat", "few", "none"])
def test_codes_come_back(values, bits, dtype):
    described, found, size = through(coded(jnp.asarray(values % 2**bits, jnp.uint32), bits))
    assert_same(found, Codes(jnp.asarray(values % 2**bits, dtype), bits))
    assert found.bits == described.codes[0] == bits
    assert size <= found.nbytes + 5


def test_codes_by_hand():
    """Codes of 3 bits, dense and packed: 5 1 7 5 from the lowest bit on. Their median is 5, the middle."""
    sink = Sink()
    leaves.encode(coded(jnp.array([5, 1, 7, 5]), 3), sink)
    assert sink.close() == bytes([32, 3, 5, 0, 0b11001101, 0b1011])


@pytest.mark.parametrize("description", [[32, 9, 0], [32, 0, 0], [32, 3, 8]])
def test_codes_that_do_not_fit_their_dtype_are_refused(description):
    with pytest.raises(ValueError, match=r"uint8 holds no codes of \d bits around \d"):
        read(Source(bytes(description), 0), (3,), "uint8")


def test_codes_outside_their_range_are_refused():
    """Cell 12 of grain 2, of octave 2, in codes of 3 bits; and a code above the largest that int32 holds."""
    sink = Sink()
    sink.coded(np.array([12]), np.array([0] * 12 + [63]))
    source = Source(bytes([12, 3, 0, 0, 0, 1, 2, 12]) + sink.close() + bytes(9), 0)
    described = read(source, (), "float32")
    source.open()
    with pytest.raises(ValueError, match="do not fit in 3 bits"):
        leaves.decode(described, source)
    source = Source(
        bytes([8, 32]) + b"\xfe\xff\xff\xff\x1f" + b"\xfe\xff\xff\xff\x0f" + bytes([0, 1, 0]) + b"\xff" * 8, 0
    )
    described = read(source, (), "float32")
    source.open()
    with pytest.raises(ValueError, match=r"code \d+ is above the largest"):
        leaves.decode(described, source)


def test_what_cannot_be_stored_is_refused():
    with pytest.raises(ValueError, match=r"scale of shape \(1, 79\) does not broadcast against \(50, 80\)"):
        through(quantized(CODES, 2, 0, np.ones((1, 79))))
    with pytest.raises(ValueError, match="codes from 0 to 3 do not fit in 1 bits"):
        through(quantized(CODES, 1, 0))
    with pytest.raises(ValueError, match=r"Quantized of float32, bfloat16, float16, or Codes of .*, not int32"):
        through(quantized(CODES, 2, 0).replace(dtype="int32"))
    with pytest.raises(ValueError, match="not float64"):
        leaves.encode(np.zeros(3), Sink())
