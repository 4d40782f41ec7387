import numpy as np
import pytest

from benchmarks.artifact.cells import cells, firsts, fold, octaves, unfold


def test_folding_by_hand():
    """Of 3 bits around 2: 2, 3, 1, 4, 0, and then the upper side alone."""
    assert fold(np.array([2, 3, 1, 4, 0, 5, 6, 7]), 2, 3).tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert fold(np.array([6, 7, 5, 4, 3, 0]), 6, 3).tolist() == [0, 1, 2, 3, 4, 7]
    assert fold(np.array([0, 1, 9]), 0, 32).tolist() == [0, 1, 9]


@pytest.mark.parametrize("bits", [1, 2, 5])
def test_folding_is_a_permutation_around_any_centre(bits):
    numbers = np.arange(2**bits)
    for centre in numbers.tolist():
        folded = fold(numbers, centre, bits)
        assert sorted(folded) == numbers.tolist()
        np.testing.assert_array_equal(unfold(folded, centre, bits), numbers)


def test_cells_by_hand():
    """Grain 1: 0 1 2 3, then two cells an octave: 4-5, 6-7, 8-11, 12-15, 16-23."""
    numbers = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16, 23])
    assert cells(numbers, 1).tolist() == [0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8]
    assert octaves(np.arange(9), 1).tolist() == [0, 0, 0, 0, 1, 1, 2, 2, 3]
    assert firsts(np.arange(9), 1).tolist() == [0, 1, 2, 3, 4, 6, 8, 12, 16]


@pytest.mark.parametrize("grain", range(8))
def test_number_is_first_of_its_cell_and_the_rest(grain):
    numbers = np.unique(np.concatenate([np.arange(3000), 2 ** np.arange(33) - 1, 2 ** np.arange(33)]))
    own = cells(numbers, grain)
    rest = numbers - firsts(own, grain)
    assert (np.diff(own) >= 0).all()
    assert ((rest >= 0) & (rest < 2 ** octaves(own, grain))).all()
