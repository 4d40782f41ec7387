"""The grid: codes, rounding, gradients and the integer tensor that ships, against values worked out by hand."""

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from methods.transforms import grids
from methods.transforms.grids import Quantizer, code_range
from methods.transforms.transform import decoded, is_packed, unpack

affine, encode, fake_quant = map(jax.jit, (grids.affine, grids.encode, grids.fake_quant))
symmetric = jax.jit(grids.symmetric, static_argnums=2)


def grid(scale, zero_point, low, high):
    return Quantizer(*map(jnp.float32, (scale, zero_point, low, high)))


HALVES = grid(0.5, 0, -4, 3)  # 3 bits, signed: the values -2, -1.5, ..., 1.5


@pytest.mark.parametrize(
    ("bits", "signed", "narrow", "unsigned"),
    [
        (8, (-128, 127), (-127, 127), (0, 255)),
        (4, (-8, 7), (-7, 7), (0, 15)),
        (3, (-4, 3), (-3, 3), (0, 7)),
        (2, (-2, 1), (-1, 1), (0, 3)),
    ],
)
def test_code_range_by_hand(bits, signed, narrow, unsigned):
    assert code_range(bits) == signed
    assert code_range(jnp.float32(bits), narrow=True) == narrow
    assert code_range(bits, signed=False) == unsigned


@pytest.mark.parametrize("name", ["int2", "int4", "int8", "uint2", "uint4", "uint8"])
def test_code_range_is_that_of_the_integer_type(name):
    info = ml_dtypes.iinfo(name)
    assert code_range(info.bits, signed=info.min < 0) == (info.min, info.max)


@pytest.mark.parametrize(
    ("axes", "scale", "expected"),
    [
        ((-1,), [[1, 2]], [[2, -6], [-3, 4]]),  # 1.5 and 3/2 are halfway, 1.5 goes to the even 2
        ((0,), [[2], [1]], [[2, -6], [-3, 3]]),
        ((), [[2]], [[2, -6], [-4, 4]]),
        ((0, 1), [[0.5, 2], [1, 1]], [[1.5, -6], [-3, 3]]),
    ],
)
def test_symmetric_by_hand(axes, scale, expected):
    x = jnp.float32([[1.5, -6], [-3, 3]])
    q = symmetric(x, 3, axes)
    assert (q.low, q.high) == (-3, 3)
    assert_array_equal(q.scale, scale)
    assert_array_equal(q.zero_point, np.zeros_like(scale))
    assert_array_equal(fake_quant(x, q), expected)


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_symmetric_keeps_the_peak_and_errs_by_half_a_step(bits):
    x = np.float32(np.random.default_rng(bits).normal(size=(50, 3)) * [1, 100, 1e-4])
    q = symmetric(x, bits, (-1,))
    assert_allclose(np.abs(fake_quant(x, q)).max(0), np.abs(x).max(0), rtol=1e-6)
    assert (np.abs(fake_quant(x, q) - x) <= np.asarray(q.scale) * 0.50001).all()


def test_a_channel_of_zeros_stays_zeros():
    x = jnp.float32([[0, 1], [0, 3]])
    q = symmetric(x, 8, (-1,))
    assert q.scale[0, 0] == 1
    assert_array_equal(fake_quant(x, q)[:, 0], [0, 0])
    assert_array_equal(decoded(q.pack(x))[:, 0], [0, 0])


@pytest.mark.parametrize(
    ("minimum", "maximum", "scale", "zero_point"),
    [
        (-1, 2, 1, 1),
        (0.5, 3, 1, 0),  # widened to [0, 3]
        (-6, -1, 2, 3),  # widened to [-6, 0]
        (-0.75, 2.25, 1, 1),  # 0.75 is rounded
        (0, 0, 1, 0),
    ],
)
def test_affine_by_hand(minimum, maximum, scale, zero_point):
    q = affine(jnp.float32(minimum), jnp.float32(maximum), 2)
    assert (q.scale, q.zero_point, q.low, q.high) == (scale, zero_point, 0, 3)


def test_affine_codes_and_values_by_hand():
    q = affine(jnp.float32(-1), jnp.float32(2), 2)
    x = jnp.float32([-4, -1, 0, 0.5, 1.5, 2, 5])  # halves go to even: 0.5 to 0, 1.5 to 2
    assert_array_equal(encode(x, q), [0, 0, 1, 1, 3, 3, 3])
    assert_array_equal(fake_quant(x, q), [-1, -1, 0, 0, 2, 2, 2])


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_zero_is_on_every_affine_grid(bits):
    rng = np.random.default_rng(0)
    q = affine(np.float32(rng.normal(size=500)), np.float32(rng.normal(size=500) + 1), bits)
    assert_array_equal(fake_quant(jnp.zeros(500), q), np.zeros(500))
    assert q.zero_point.min() >= 0
    assert q.zero_point.max() <= 2**bits - 1


def test_rounds_half_to_even_and_clips():
    x = jnp.float32([-9, -2, -1.25, -0.75, -0.25, 0.24, 0.25, 0.75, 1.25, 1.5, 1.75, 9])
    assert_array_equal(fake_quant(x, HALVES), [-2, -2, -1, -1, 0, 0, 0, 1, 1, 1.5, 1.5, 1.5])


def test_what_lies_between_two_codes_goes_the_same_way_in_every_program():
    """What ships is what runs, bit for bit, also for x = (k + ½) · scale; alone, fused with a product, and packed."""
    rng = np.random.default_rng(0)
    fused = jax.jit(lambda x, q: (y := grids.fake_quant(x, q), jnp.dot(y, y.T)))
    for scale in np.float32(rng.uniform(0.005, 0.02, 20)):
        q = grid(scale, 0, -128, 127)
        x = jnp.asarray((rng.integers(-100, 100, (64, 64)) + 0.5).astype(np.float32) * scale)
        shipped = unpack(q.pack(x))
        assert_array_equal(fake_quant(x, q), shipped)
        assert_array_equal(fused(x, q)[0], shipped)


# x, ∂x̂/∂x, ∂x̂/∂s of LSQ's eq. 3 on HALVES: v̄ - v/s strictly inside, -Q_N = -4 or Q_P = 3 at the clip and outside
EQUATION_3 = np.array(
    [(-5, 0, -4), (-2, 0, -4), (-1.9, 1, -0.2), (0.3, 1, 0.4), (1.25, 1, -0.5), (1.4, 1, 0.2), (1.5, 0, 3), (2, 0, 3)]
)


@jax.jit
def gradients(x, q):
    """∂x̂/∂x and ∂x̂/∂s of each entry of `x`; one step size."""
    scales = jnp.broadcast_to(q.scale, x.shape)
    return jax.grad(lambda x, s: grids.fake_quant(x, q.replace(scale=s)).sum(), (0, 1))(x, scales)


def test_gradients_are_straight_through_and_lsq_equation_3():
    x, to_x, to_scale = EQUATION_3.T.astype(np.float32)
    found_x, found_scale = gradients(x, HALVES)
    assert_array_equal(found_x, to_x)
    assert_allclose(found_scale, to_scale, atol=1e-6)


@pytest.mark.parametrize("shape", [(), (1,), (4,), (2, 1), (1, 4)])
def test_a_shared_scale_gets_the_sum_of_its_entries_gradients(shape):
    x, _, to_scale = (column.reshape(2, 4) for column in EQUATION_3.T.astype(np.float32))
    dy = np.arange(8, dtype=np.float32).reshape(2, 4)
    q = HALVES.replace(scale=jnp.full(shape, 0.5))
    found = jax.jit(jax.grad(lambda s: (dy * grids.fake_quant(x, q.replace(scale=s))).sum()))(q.scale)
    axes = {(): (0, 1), (1,): (0, 1), (4,): 0, (2, 1): 1, (1, 4): 0}[shape]
    assert_allclose(found, (dy * to_scale).sum(axes).reshape(shape), atol=1e-5)


def test_gradients_with_a_zero_point():
    q = grid(1, 1, 0, 3)  # the values -1, 0, 1, 2
    x = jnp.float32([-4, -1, -0.75, 0.25, 2, 5])
    found_x, found_scale = gradients(x, q)
    assert_array_equal(found_x, [0, 0, 1, 1, 0, 0])
    assert_array_equal(found_scale, [-1, -1, -0.25, -0.25, 2, 2])


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_32_bits_is_the_identity_bit_for_bit(dtype):
    x = jnp.array([[0.0, -0.0, 1e-37, 0.1], [-3e38, 7.0, -1e-3, 3e38]], dtype)
    for q in (symmetric(x, 32, ()), affine(jnp.float32(-1), jnp.float32(1), 32)):
        assert q.passes()
        assert fake_quant(x, q).dtype == dtype
        assert np.asarray(fake_quant(x, q)).tobytes() == np.asarray(x).tobytes()
        assert_array_equal(gradients(x, q)[0].astype("float32"), np.ones((2, 4)))
        assert q.pack(x) is x


@pytest.mark.parametrize("bits", [2, 3, 5, 8])
def test_what_is_packed_decodes_to_what_was_simulated(bits):
    x = np.float32(np.random.default_rng(bits).normal(size=(40, 3)))
    for q in (symmetric(x, bits, (-1,)), affine(x.min(), x.max(), bits)):
        assert not q.passes()
        packed = q.pack(x)
        assert (packed.bits, packed.low, packed.codes.dtype) == (bits, int(q.low), jnp.int32)
        assert packed.low <= packed.codes.min() <= packed.codes.max() <= int(q.high)
        assert np.asarray(unpack(packed)).tobytes() == np.asarray(fake_quant(x, q)).tobytes()


def test_packed_codes_by_hand():
    packed = HALVES.pack(jnp.float32([-9, -0.75, 0.25, 0.7, 9]))
    assert_array_equal(packed.codes, [-4, -2, 0, 1, 3])
    tree = decoded({"a": packed, "b": jnp.float32([0.1])})
    assert_array_equal(tree["a"], [-2, -1, 0, 0.5, 1.5])
    assert_array_equal(tree["b"], np.float32([0.1]))
    assert not any(map(is_packed, tree.values()))
