import numpy as np
import pytest

from benchmarks.artifact.rice import best, decode, encode


def test_streams_by_hand():
    # two low bits: 0 -> 1, 00; 5 -> 01, 01; 11 -> 001, 11. Unary 1 01 001 from the lowest bit on, then 00 01 11
    unary, rest = encode(np.array([0, 5, 11]), 2)
    assert (unary.tolist(), rest.tolist()) == ([0b100101], [0b110100])
    assert decode(unary, rest, 2, 3).tolist() == [0, 5, 11]


def test_without_low_bits_gaps_are_the_mask_of_what_they_skip():
    mask = np.random.default_rng(0).random(500) < 0.4
    mask[-1] = True
    gaps = np.diff(np.flatnonzero(mask), prepend=-1) - 1
    unary, rest = encode(gaps, 0)
    np.testing.assert_array_equal(unary, np.packbits(mask, bitorder="little"))
    assert rest.size == 0


@pytest.mark.parametrize(
    ("numbers", "low", "nbytes"), [([], 0, 0), ([0] * 16, 0, 2), ([7] * 16, 2, 4), ([2**31], 30, 1)]
)
def test_the_best_number_of_low_bits(numbers, low, nbytes):
    """16 sevens: with 3 low bits 1 + 3 bits each, with 2 low bits 2 + 2, with 1 it is 4 + 1."""
    numbers = np.array(numbers, np.int64)
    assert best(numbers) == (low, nbytes)
    np.testing.assert_array_equal(decode(*encode(numbers, low), low, numbers.size), numbers)


@pytest.mark.parametrize("unary", [[0b100101, 0], [0b1], [0b111111], []])
def test_another_number_of_ends_is_refused(unary):
    with pytest.raises(ValueError, match="does not hold 3 gaps"):
        decode(np.array(unary, np.uint8), np.zeros(1, np.uint8), 2, 3)
