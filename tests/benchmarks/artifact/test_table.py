import numpy as np
import pytest

from benchmarks.artifact.table import TOTAL, WEIGHTS, frequencies, levels


def test_weights_have_four_steps_an_octave():
    assert WEIGHTS[:10].tolist() == [0, 4, 5, 6, 7, 8, 10, 12, 14, 16]
    assert (WEIGHTS.size, WEIGHTS[63]) == (64, 6 << 15)


def test_levels_by_hand():
    """Of the largest count, which is level 63: as much, half, a quarter, next to nothing, nothing."""
    assert levels(np.array([1000, 500, 250, 1, 0])).tolist() == [63, 59, 55, 23, 0]
    assert WEIGHTS[23] == 6 << 5  # 192 of 196608: 0.98 of a thousandth


def test_frequencies_by_hand():
    assert frequencies(np.array([63, 59, 0, 59])).tolist() == [2048, 1024, 0, 1024]
    assert frequencies(np.array([63, 1])).tolist() == [4095, 1]  # a symbol that occurs has a frequency
    assert frequencies(np.array([0, 5])).tolist() == [0, 4096]
    with pytest.raises(ValueError, match="empty"):
        frequencies(np.array([0, 0]))


@pytest.mark.parametrize("others", [1, 6, 30, 62, 63])
def test_frequencies_sum_to_their_total_in_the_largest_alphabet(others):
    found = frequencies(np.array([63] + 255 * [others]))
    assert found.sum() == TOTAL
    assert found.min() >= 1


def test_what_rounding_the_table_costs():
    """Cross entropy against entropy, of 300 random tables: below a hundredth of a bit."""
    rng = np.random.default_rng(0)
    for _ in range(300):
        counts = np.ceil(np.exp(rng.normal(0, 2, rng.integers(2, 40))) * 1000).astype(int)
        share = counts / counts.sum()
        ours = frequencies(levels(counts)) / TOTAL
        assert 0 <= (share * np.log2(share / ours)).sum() < 0.01
