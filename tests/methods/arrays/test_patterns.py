"""N:M masks against sorting each group in NumPy, and by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from methods.arrays.patterns import Pattern, left_over, pattern_mask

masked = jax.jit(pattern_mask, static_argnums=(1, 2))


def by_sorting(scores, axes, pattern):
    """Row by row of what one output sums over, by a stable sort."""
    front = np.moveaxis(np.array(scores), axes, range(len(axes)))
    rows = front.reshape(np.prod([scores.shape[axis] for axis in axes]), -1)
    mask = np.ones(rows.shape, bool)
    for start in range(0, len(rows) - pattern.of + 1, pattern.of):
        for column in range(rows.shape[1]):
            group = rows[start : start + pattern.of, column]
            mask[start + np.argsort(group, kind="stable")[: pattern.of - pattern.kept], column] = False
    return np.moveaxis(mask.reshape(front.shape), range(len(axes)), axes)


@pytest.mark.parametrize("pattern", [Pattern(2, 4), Pattern(4, 8), Pattern(1, 4)])
@pytest.mark.parametrize("kind", ["normal", "small integers", "constant"])
@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((16, 5), (0,)),
        ((5, 16), (1,)),  # a table: along its rows
        ((3, 3, 8, 6), (0, 1, 2)),  # a convolution
        ((3, 3, 1, 6), (0, 1, 2)),  # depthwise: 9 entries, of which one is left over
        ((3, 3, 5, 8), (0, 1, 3)),  # stored [h, w, out, in]
        ((2, 12, 3), (1,)),  # two layers stacked
        ((4, 4, 6), (0, 1)),  # heads
        ((3, 7), (0,)),  # no group at all
    ],
)
def test_masks_are_those_of_sorting_each_group(shape, axes, kind, pattern):
    scores = np.random.default_rng(len(shape)).normal(size=shape).astype(np.float32)
    scores = {"normal": scores, "small integers": np.round(2 * scores), "constant": np.zeros_like(scores)}[kind]
    mask = masked(jnp.asarray(scores), axes, pattern)
    assert_array_equal(mask, by_sorting(scores, axes, pattern))
    rest, length = left_over(shape, axes, pattern)
    outputs = np.prod(shape) // length
    assert mask.sum() == outputs * ((length - rest) // pattern.of * pattern.kept + rest)


def test_groups_of_a_dense_layer_lie_along_its_inputs():
    kernel = jnp.float32([[1, 8], [2, 7], [3, 6], [4, 5], [9, 9]])
    expected = [[False, True], [False, True], [True, False], [True, False], [True, True]]
    assert_array_equal(masked(kernel, (0,), Pattern(2, 4)), expected)


def test_groups_of_a_convolution_are_input_channels_at_one_place_of_the_window():
    kernel = jnp.arange(2 * 4, dtype=jnp.float32).reshape(2, 1, 4, 1)  # [height, width, in, out]
    assert_array_equal(masked(kernel, (0, 1, 2), Pattern(2, 4))[:, 0, :, 0], [[False, False, True, True]] * 2)


@pytest.mark.parametrize(
    ("shape", "axes", "of", "expected"),
    [((16, 5), (0,), 4, (0, 16)), ((3, 3, 1, 6), (0, 1, 2), 4, (1, 9)), ((3, 7), (0,), 8, (3, 3))],
)
def test_left_over_by_hand(shape, axes, of, expected):
    assert left_over(shape, axes, Pattern(2, of)) == expected
