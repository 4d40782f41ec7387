"""Float formats against ml_dtypes, bit for bit: all codes, all ties, subnormals, random values; saturated beyond."""

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from methods.arrays import floats
from methods.arrays.floats import FORMATS, decode, exponents, format_of, numbers, power

THEIRS = {
    "e4m3fn": ml_dtypes.float8_e4m3fn,
    "e5m2": ml_dtypes.float8_e5m2,
    "e3m2": ml_dtypes.float6_e3m2fn,
    "e2m3": ml_dtypes.float6_e2m3fn,
    "e2m1": ml_dtypes.float4_e2m1fn,
    "e8m0": ml_dtypes.float8_e8m0fnu,
}
SIGNED = [name for name in FORMATS if FORMATS[name].sign]
each_signed = pytest.mark.parametrize("name", SIGNED)
encode = jax.jit(floats.encode, static_argnums=1)
round_to = jax.jit(floats.round_to, static_argnums=1)


def same_bits(a, b):
    assert np.asarray(a, np.float32).tobytes() == np.asarray(b, np.float32).tobytes()


def test_every_format_has_an_oracle():
    assert set(FORMATS) == set(THEIRS)


@pytest.mark.parametrize("name", FORMATS)
def test_every_code_means_what_it_means_there(name):
    codes = np.arange(2 ** FORMATS[name].bits, dtype=np.uint8)
    theirs = codes.view(THEIRS[name]).astype(np.float32)
    assert_array_equal(decode(jnp.asarray(codes), name), theirs)
    finite = np.isfinite(theirs)
    assert theirs[finite].max() == FORMATS[name].largest == np.float32(ml_dtypes.finfo(THEIRS[name]).max)
    assert_array_equal(np.signbit(numbers(FORMATS[name]))[finite], np.signbit(theirs)[finite])


def values(name):
    """All numbers of the format, all that lie between two of them and next to that, and random ones; of both signs."""
    own = numbers(FORMATS[name])
    own = np.sort(np.unique(own[np.isfinite(own)]))
    ties = (own[1:] + own[:-1]) / 2
    rng = np.random.default_rng(0)
    largest = FORMATS[name].largest
    spread = rng.normal(size=40000) * 2.0 ** rng.integers(-24, 18, 40000)
    near = np.nextafter(np.concatenate([ties, ties]), np.repeat(np.float32([-np.inf, np.inf]), len(ties)))
    x = np.float32(np.concatenate([own, ties, near, spread, rng.uniform(-largest, largest, 40000), [-0.0, 1e-30]]))
    return np.concatenate([x, -x])


@each_signed
def test_rounding_is_that_of_ml_dtypes_up_to_the_largest_number(name):
    x, largest = values(name), FORMATS[name].largest
    theirs = np.clip(x, -largest, largest).astype(THEIRS[name])
    same_bits(round_to(x, name), theirs.astype(np.float32))
    assert_array_equal(encode(x, name), theirs.view(np.uint8))
    same_bits(decode(encode(x, name), name), round_to(x, name))


@each_signed
def test_what_lies_beyond_becomes_the_largest_number(name):
    largest = FORMATS[name].largest
    x = np.float32([largest * 1.001, -largest * 1.6, 1e38, np.inf, -np.inf])
    assert_array_equal(round_to(x, name), np.float32([1, -1, 1, 1, -1]) * largest)
    assert np.isnan(round_to(np.float32([np.nan]), name))


def test_by_hand():
    """e2m1 has 0, 0.5, 1, 1.5, 2, 3, 4, 6: ties go to the number whose mantissa is even."""
    x = np.float32([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5, 0.3, 7, -0.2])
    assert_array_equal(round_to(x, "e2m1"), np.float32([0, 1, 1, 2, 2, 4, 4, 0.5, 6, -0.0]))
    assert_array_equal(encode(x, "e2m1"), [0, 2, 2, 4, 4, 6, 6, 1, 7, 8])
    assert_array_equal(round_to(np.float32([447, 2.0**-9, 2.0**-10, 1.5 * 2.0**-9]), "e4m3fn"), [448, 2**-9, 0, 2**-8])


def test_scales_are_powers_of_two():
    exponents = np.arange(5000) % 253 - 126.0
    x = np.float32(np.random.default_rng(1).uniform(1, 2, 5000) * np.exp2(exponents))
    x = np.concatenate([x, np.float32([1.5, 3, 1, 2.0**-126, 2.0**127])])
    assert_array_equal(encode(x, "e8m0"), x.astype(THEIRS["e8m0"]).view(np.uint8))
    assert encode(np.float32([3e38]), "e8m0") == 254  # where they have NaN


def test_exponents_and_powers():
    x = np.float32([1, -1.99, 2, 0.75, 6, 1e-30, 0, 3e38])
    assert_array_equal(exponents(x), [0, 0, 1, -1, 2, -100, -127, 127])
    assert_array_equal(power(jnp.arange(-126, 128)), np.float32(np.exp2(np.arange(-126.0, 128))))
    assert [FORMATS[name].emax for name in SIGNED] == [8, 15, 4, 2, 2]


def test_a_format_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match="there is no float format 'e9m9'; there are e4m3fn, e5m2,"):
        format_of("e9m9")
