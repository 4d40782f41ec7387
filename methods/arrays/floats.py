"""Small floating-point formats: rounding to them, and their own codes.

    x = (-1)^s · 2^max(E - bias, 1 - bias) · (M / 2^m + (E > 0))          code: sign, exponent E, mantissa M of m bits

Rounding is to nearest, half to even; values below the smallest normal number are rounded to subnormal ones, and those
beyond the largest finite number to that (saturation). Neither infinity nor NaN is ever made. Formats: FP8, Micikevicius
et al. 2022 (arXiv 2209.05433, table 1); OCP MX, Rouhani et al. 2023 (arXiv 2310.10537, table 1).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


class Format(NamedTuple):
    """What a code means."""

    exponent: int  # bits
    mantissa: int  # bits
    bias: int
    largest: float  # finite number
    sign: int = 1  # bits

    @property
    def bits(self) -> int:
        """Of a code."""
        return self.sign + self.exponent + self.mantissa

    @property
    def emax(self) -> int:
        """The exponent of the largest number: ⌊log2 largest⌋."""
        return int(np.frexp(self.largest)[1]) - 1


FORMATS = {
    "e4m3fn": Format(4, 3, 7, 448.0),
    "e5m2": Format(5, 2, 15, 57344.0),
    "e3m2": Format(3, 2, 3, 28.0),
    "e2m3": Format(2, 3, 1, 7.5),
    "e2m1": Format(2, 1, 1, 6.0),
    "e8m0": Format(8, 0, 127, 2.0**127, sign=0),  # powers of two alone, 2^(code - 127), and NaN
}


def format_of(name: str) -> Format:
    """Returns the format of that name. Raises ValueError if there is none."""
    if name not in FORMATS:
        raise ValueError(f"there is no float format {name!r}; there are {', '.join(FORMATS)}")
    return FORMATS[name]


def exponents(x: jax.Array) -> jax.Array:
    """Returns ⌊log2 |x|⌋ of float32, int32; -127 of 0 and of subnormal numbers."""
    return ((_bits(x) >> 23) & 255).astype(jnp.int32) - 127


def power(exponent: jax.Array) -> jax.Array:
    """Returns 2^exponent, float32, exactly; 0 where that is not normal: at -127."""
    return jax.lax.bitcast_convert_type((exponent + 127) << 23, jnp.float32)


def round_to(x: jax.Array, name: str) -> jax.Array:
    """Returns `x`, float32, rounded to the numbers of a format that has a sign; NaN stays NaN."""
    places, step, _ = _placed(x, format_of(name))
    return jnp.copysign(places * step, x)


def encode(x: jax.Array, name: str) -> jax.Array:
    """Returns the codes of `x`, float32 and finite, rounded: uint8.

    Of "e8m0", `x` is above 0, and halfway between two powers of two it goes up: neither has an even mantissa.
    """
    form = format_of(name)
    if not form.sign:
        return jnp.minimum((_bits(x) + 0x400000) >> 23, 254).astype(jnp.uint8)
    places, _, binade = _placed(x, form)
    code = (binade << form.mantissa) + places.astype(jnp.int32)
    return (code + (jnp.signbit(x).astype(jnp.int32) << (form.bits - 1))).astype(jnp.uint8)


def decode(codes: jax.Array, name: str) -> jax.Array:
    """Returns the numbers that codes stand for, float32; NaN or infinity where the format says so."""
    return jnp.asarray(numbers(format_of(name)))[codes]


def numbers(form: Format) -> np.ndarray:
    """Returns the number of every code of a format, float32 [2^bits]."""
    codes = np.arange(2**form.bits)
    mantissa, exponent = codes % 2**form.mantissa, (codes >> form.mantissa) % 2**form.exponent
    if not form.sign:
        return np.where(codes == 255, np.nan, 2.0 ** (codes - form.bias)).astype(np.float32)
    size = (mantissa / 2**form.mantissa + (exponent > 0)) * 2.0 ** (np.maximum(exponent, 1) - form.bias)
    size = np.where(size > form.largest, np.where(mantissa, np.nan, np.inf), size)
    return np.where(codes >> (form.bits - 1), -size, size).astype(np.float32)


def _bits(x: jax.Array) -> jax.Array:
    return jax.lax.bitcast_convert_type(x, jnp.uint32)


def _placed(x: jax.Array, form: Format) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Returns (|x| in steps, rounded; the step there; number of the binade, int32, 0 the lowest with the subnormal)."""
    size, lowest = jnp.minimum(jnp.abs(x), form.largest), 1 - form.bias
    exponent = jnp.maximum(exponents(size), lowest)
    places = jnp.round(size * power(form.mantissa - exponent))
    return places, power(exponent - form.mantissa), exponent - lowest
