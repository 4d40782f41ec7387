"""All transforms: what every one of them promises, and each against values worked out by hand or in NumPy."""

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
import scipy.linalg
from numpy.testing import assert_allclose, assert_array_equal

from methods.arrays.blocks import Blocks
from methods.transforms import TRANSFORMS
from methods.transforms.divisions import Divide
from methods.transforms.double_scales import DoubleScaled
from methods.transforms.floats import Floats
from methods.transforms.grids import Quantizer, fake_quant
from methods.transforms.microscaling import Microscaled
from methods.transforms.rotations import Rotation, hadamard, signs
from methods.transforms.tables import Table
from methods.transforms.transform import Codes, coded, is_packed, parts, unpack
from tests.methods.transforms.kinds import INPUTS, WEIGHTS, X, groups

W = jnp.asarray(np.random.default_rng(0).normal(size=(70, 12)), jnp.float32).at[3].set(0)
ALL = {**{f"{name} of an input": (one, X) for name, one in INPUTS.items()}}
ALL |= {f"{name} of a weight": (one, W) for name, one in WEIGHTS(W).items()}
each = pytest.mark.parametrize("name", ALL)
apply = jax.jit(lambda one, x: one(x))


def same_bits(a, b):
    assert np.asarray(a, np.float32).tobytes() == np.asarray(b, np.float32).tobytes()


def test_every_transform_is_tried():
    assert {type(one) for one, _ in ALL.values()} == set(TRANSFORMS.values())


@each
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_shape_and_dtype_are_kept_and_what_ships_is_what_runs(name, dtype):
    one, x = ALL[name][0], ALL[name][1].astype(dtype)
    y = apply(one, x)
    assert (y.shape, y.dtype) == (x.shape, x.dtype)
    packed = one.pack(x)
    same_bits(unpack(packed), y)
    assert is_packed(packed) == (one.bits is not None)
    if is_packed(packed):
        assert (packed.shape, packed.dtype, packed.bits) == (x.shape, dtype, one.bits)
        assert packed.pruned == np.sum(np.asarray(x) == 0)
        assert packed.nbytes < y.size * 8 / 2
    assert not bool(one.passes())


@each
def test_gradients_go_straight_through_and_are_finite(name):
    one, x = ALL[name]
    found = jax.jit(jax.grad(lambda x, one: (one(x) * jnp.arange(x.size).reshape(x.shape)).sum()))(x, one)
    assert np.isfinite(found).all()
    if one.bits is not None:  # rounded: 1 inside, 0 where it is clipped
        inside = np.asarray(found == jnp.arange(x.size).reshape(x.shape))
        assert (inside | (np.asarray(found) == 0)).all()
        assert inside.mean() > 0.5


@each
def test_zeros_stay_zeros(name):
    one, x = ALL[name]
    assert_array_equal(apply(one, jnp.zeros_like(x)), np.zeros(x.shape))


@pytest.mark.parametrize("one", [INPUTS["grid"], INPUTS["divide"], Divide(jnp.ones(6))])
def test_what_passes_returns_its_input(one):
    wide = Quantizer(one.scale, one.zero_point, -(2.0**31), 2.0**31) if isinstance(one, Quantizer) else one
    if bool(jnp.asarray(wide.passes())):
        same_bits(wide(X), X)
    assert bool(jnp.asarray(wide.passes())) == (wide is not INPUTS["divide"])


def test_codes_take_their_bits():
    assert coded(jnp.arange(7), 3).nbytes == 3  # 21 bits
    assert [coded(jnp.zeros(4, jnp.uint32), bits).values.dtype for bits in (1, 8, 9, 16, 17, 32)] == [
        *("uint8", "uint8", "uint16", "uint16", "uint32", "uint32")
    ]


@pytest.mark.parametrize("size", [7, 32, 100])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_groups_are_grids_of_their_own(size, bits):
    one = groups(W, size, bits)
    parted = [W[i : i + size] for i in range(0, 70, size)]
    grids = [Quantizer(scale, 0 * scale, one.low, one.high) for scale in one.scale]
    expected = np.concatenate([fake_quant(w, grid) for w, grid in zip(parted, grids, strict=True)])
    same_bits(apply(one, W), expected)
    packed = one.pack(W)
    same_bits(packed.unpack(), expected)
    assert packed.nbytes == -(-840 * bits // 8) + 2 * 4 * 12 * len(parted)


def test_a_scale_of_a_group_gets_the_sum_of_its_gradients():
    one = groups(W, 32, 3)
    found = jax.grad(lambda scale: one.replace(scale=scale)(W).sum())(one.scale)
    whole = one.over(W.shape)
    each = jax.grad(lambda scale: fake_quant(W, whole.replace(scale=scale)).sum())(whole.scale)
    expected = np.stack([each[i : i + 32].sum(0) for i in (0, 32, 64)])
    assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_a_table_by_hand():
    one = Table(jnp.float32([-1, 0, 0.5, 1]), jnp.float32([2, 4]))
    x = jnp.float32([[0.4, 1.1], [-9, 9], [0.6, -2], [1.5, 3.5]])
    assert_array_equal(one(x), [[0, 2], [-2, 4], [1, -4], [1, 4]])  # halfway between two levels: the lower one
    packed = one.pack(x)
    assert (packed.bits, packed.codes.values.tolist()) == (2, [[1, 2], [0, 3], [2, 0], [2, 3]])


def test_scales_of_a_table_may_be_packed_themselves():
    """As in QLoRA: scales of blocks on a grid of 8 bits."""
    rows = Blocks((0,), 10)
    packed = WEIGHTS(W)["table in blocks"].replace(scale=jnp.ones((7, 12)), blocks=rows).pack(W)
    grid = Quantizer(*map(jnp.float32, (0.01, 0, 0, 255)))
    double = packed.replace(scale=grid.pack(packed.scale))
    same_bits(double.unpack(), packed.unpack())
    assert double.nbytes == packed.nbytes - 4 * 84 + 84 + 8


@pytest.mark.parametrize(("name", "theirs"), [("e4m3fn", ml_dtypes.float8_e4m3fn), ("e5m2", ml_dtypes.float8_e5m2)])
def test_floats_against_ml_dtypes(name, theirs):
    largest = float(ml_dtypes.finfo(theirs).max)
    scale = np.abs(W).max(0, keepdims=True) / np.float32(largest)
    ratio = np.clip(np.asarray(W) * (np.float32(1) / scale), -largest, largest)
    packed = Floats(jnp.asarray(scale), name).pack(W)
    assert_array_equal(packed.codes.values, ratio.astype(theirs).view(np.uint8))
    same_bits(packed.unpack(), ratio.astype(theirs).astype(np.float32) * scale)
    assert packed.nbytes == W.size + 4 * 12


FORMATS = [
    ("e2m1", ml_dtypes.float4_e2m1fn, 2),
    ("e2m3", ml_dtypes.float6_e2m3fn, 2),
    ("e3m2", ml_dtypes.float6_e3m2fn, 4),
    ("e4m3fn", ml_dtypes.float8_e4m3fn, 8),
    ("e5m2", ml_dtypes.float8_e5m2, 15),
]


def by_numpy(x, theirs, emax):
    """(numbers, scales) of blocks of 32 along the last axis, the last one shorter."""
    numbers, scales = np.zeros_like(x), []
    for i in range(0, x.shape[-1], 32):
        block = x[..., i : i + 32]
        peak = np.abs(block).max(-1, keepdims=True)
        exponent = np.where(peak > 0, np.floor(np.log2(np.where(peak > 0, peak, 1))), -127) - emax
        scale = np.exp2(np.maximum(exponent, -127))
        largest = float(ml_dtypes.finfo(theirs).max)
        numbers[..., i : i + 32] = np.clip(block / scale, -largest, largest).astype(theirs).astype(np.float64) * scale
        scales.append(scale.astype(ml_dtypes.float8_e8m0fnu)[..., 0])
    return np.float32(numbers), np.stack(scales)


@pytest.mark.parametrize(("name", "theirs", "emax"), FORMATS)
def test_microscaling_against_numpy(name, theirs, emax):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(40, 100)) * 2.0 ** rng.integers(-20, 20, (40, 1))
    x = np.float32(np.where(rng.random(x.shape) < 0.1, 0, x))
    x[0] = 0
    x[1, :32] = 2.0 ** rng.integers(-8, 9, 32)
    one = Microscaled(name, Blocks((-1,), 32))
    numbers, scales = by_numpy(np.float64(x), theirs, emax)
    assert_array_equal(apply(one, jnp.asarray(x)), numbers)
    packed = one.pack(jnp.asarray(x))
    assert_array_equal(packed.scale.values, scales.view(np.uint8))
    assert_array_equal(packed.unpack(), numbers)
    assert packed.nbytes == 40 * 100 * one.bits // 8 + 40 * 4


@pytest.mark.parametrize("size", [1e-38, 3e-37, 1e38, 3.3e38])
def test_microscaling_at_the_ends_of_float32(size):
    one, x = Microscaled("e2m1", Blocks((0,), 4)), jnp.float32([size, -size / 3, 0, size / 2, size])
    y = apply(one, x)
    same_bits(one.pack(x).unpack(), y)
    assert_allclose(y, x, rtol=0.34, atol=2e-37)


def test_double_scales_by_numpy():
    x = np.asarray(W)
    total = np.float32(np.abs(x).max() * np.float32(1 / (6 * 448)))
    one = DoubleScaled(jnp.float32(total), "e2m1", "e4m3fn", Blocks((0,), 16))
    packed = one.pack(W)
    same_bits(packed.unpack(), apply(one, W))
    for i in range(0, 70, 16):
        peak = np.abs(x[i : i + 16]).max(0)
        scale = (peak * (np.float32(1) / (np.float32(6) * total))).astype(ml_dtypes.float8_e4m3fn)
        assert_array_equal(packed.scale.values[i // 16], scale.view(np.uint8))
        both = scale.astype(np.float32) * total
        ratio = np.clip(x[i : i + 16] * (np.float32(1) / both), -6, 6).astype(ml_dtypes.float4_e2m1fn)
        same_bits(packed.unpack()[i : i + 16], ratio.astype(np.float32) * both)
    assert packed.nbytes == 840 // 2 + 5 * 12 + 4


def test_weights_that_are_not_finite_are_refused():
    for value in (np.nan, np.inf):
        with pytest.raises(ValueError, match="a weight is not finite: e2m1 has no code for it"):
            Microscaled("e2m1", Blocks((0,), 32)).pack(W.at[0, 0].set(value))


def test_a_division_by_hand():
    one = Divide(jnp.float32([2, 4]))
    assert_array_equal(one(jnp.float32([[1, 1], [-3, 8]])), [[0.5, 0.25], [-1.5, 2]])
    assert_array_equal(one.pack(jnp.float32([[1, 1]])), [[0.5, 0.25]])


@pytest.mark.parametrize(("length", "block"), [(16, 16), (12, 4), (7, 1), (1, 1)])
def test_rotations_against_scipy(length, block):
    x = np.random.default_rng(3).normal(size=(5, length))
    matrix = scipy.linalg.block_diag(*[scipy.linalg.hadamard(block) / block**0.5] * (length // block))
    assert_allclose(hadamard(jnp.float32(x)), x @ matrix, rtol=1e-5, atol=1e-6)


def test_a_product_stays_when_both_factors_are_turned():
    flipped = signs(jax.random.key(1), 12)
    assert set(np.unique(flipped.values)) == {0, 1}
    x, w = np.random.default_rng(4).normal(size=(2, 12, 12)).astype(np.float32)
    turned = Rotation(flipped)(jnp.asarray(x)) @ Rotation(flipped, axis=0)(jnp.asarray(w))
    assert_allclose(turned, x @ w, rtol=1e-4, atol=1e-5)
    assert not np.allclose(Rotation(flipped)(jnp.asarray(x)), x, atol=0.1)
    with pytest.raises(ValueError, match=r"\(12,\) signs turn no axis of length 11"):
        Rotation(flipped)(jnp.ones((3, 11)))


def test_parts_are_arrays_codes_or_nothing():
    packed = WEIGHTS(W)["microscaled"].pack(W)
    assert {name: type(part) for name, part in parts(packed).items() if part is None or isinstance(part, Codes)} == {
        **dict.fromkeys(("codes", "scale"), Codes),
        "tensor_scale": type(None),
    }
