"""Blocks: axes run together, cut into pieces, the last one shorter."""

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from methods.arrays.blocks import Blocks, gather, peaks, spread

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def test_blocks_along_one_axis_by_hand():
    blocks = Blocks((1,), 2)
    assert_array_equal(peaks(-X, blocks), [[[4, 5, 6, 7], [16, 17, 18, 19]], [[8, 9, 10, 11], [20, 21, 22, 23]]])
    assert_array_equal(gather(X, blocks)[1, :, 0], [[8, 9, 10, 11], [0, 0, 0, 0]])
    found = spread(jnp.arange(16.0).reshape(2, 2, 4), blocks, X.shape)
    assert_array_equal(found[0], [[0, 1, 2, 3], [0, 1, 2, 3], [8, 9, 10, 11]])
    assert_array_equal(found[1], [[4, 5, 6, 7], [4, 5, 6, 7], [12, 13, 14, 15]])


@pytest.mark.parametrize("axes", [(0, 1), (0, 2), (1, 2), (-3, -1), (0, 1, 2)])
@pytest.mark.parametrize("size", [1, 3, 5, 32])
def test_axes_run_together_in_their_order(axes, size):
    own = [axis % 3 for axis in axes]
    others = [axis for axis in range(3) if axis not in own]
    flat = X.transpose(*own, *others).reshape(-1, *(X.shape[axis] for axis in others))
    expected = np.stack([np.abs(flat[i : i + size]).max(0) for i in range(0, len(flat), size)])
    found = peaks(X, Blocks(axes, size))
    assert_array_equal(found, expected)
    full = spread(found, Blocks(axes, size), X.shape)
    for at in np.ndindex(X.shape):
        place = np.ravel_multi_index([at[axis] for axis in own], [X.shape[axis] for axis in own])
        assert full[at] == expected[(place // size, *(at[axis] for axis in others))]


def test_without_blocks_a_scale_broadcasts():
    scale = jnp.ones((1, 4))
    assert spread(scale, None, (3, 4)) is scale


@pytest.mark.parametrize(("axes", "size"), [((3,), 2), ((), 2), ((0,), 0), ((1, 0), 2), ((1, 1), 2)])
def test_blocks_that_cannot_be_are_refused(axes, size):
    with pytest.raises(ValueError, match="an array of 3 axes has no blocks of"):
        peaks(X, Blocks(axes, size))


def test_numbers_of_other_blocks_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 4\) are not the blocks of 2 along axes \(0,\) of \(5, 4\)"):
        spread(jnp.ones((2, 4)), Blocks((0,), 2), (5, 4))
