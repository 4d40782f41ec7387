"""Where the axes of a weight lie in a value, against NumPy: along an axis of the value runs what varies along it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from methods.uses.views import Part, along, merged, whole
from methods.uses.walk import Value, walk

W = (4, 3, 2, 5)


def view_of(function, shape=W):
    jaxpr = jax.make_jaxpr(function)(jax.ShapeDtypeStruct(shape, jnp.float32))
    ((value,), uses) = walk(jaxpr, [Value(False, {1: whole(shape)})])
    assert all(use.kind == "picked" for use in uses)
    return value.views[1]


def varies(function, axis, shape=W):
    """The axes of function(w) along which it varies if w varies along one axis alone."""
    index = np.expand_dims(np.arange(1.0, shape[axis] + 1), [i for i in range(len(shape)) if i != axis])
    out = np.asarray(function(jnp.broadcast_to(index, shape)))
    return {i for i in range(out.ndim) if not np.array_equal(out, np.broadcast_to(out.take([0], i), out.shape))}


MOVES = {
    "nothing": lambda w: w,
    "elementwise": lambda w: -jnp.tanh(w) * 2 + 1,
    "a cast": lambda w: w.astype(jnp.bfloat16),
    "transpose": lambda w: w.transpose(2, 0, 3, 1),
    "two axes into one": lambda w: w.reshape(12, 2, 5),
    "all axes into one": lambda w: w.reshape(-1),
    "an axis into two": lambda w: w.reshape(2, 2, 3, 2, 5),
    "into one and back": lambda w: w.reshape(12, 10).reshape(W),
    "into others": lambda w: w.reshape(4, 3, 10).reshape(2, 6, 2, 5),
    "swapped, then into one": lambda w: w.swapaxes(0, 3).reshape(15, 8).reshape(5, 3, 8),
    "axes of size 1": lambda w: w[:, None, :, :, None, :],
    "squeeze": lambda w: w.reshape(4, 1, 3, 2, 1, 5).squeeze((1, 4)),
    "broadcast": lambda w: jnp.broadcast_to(w[None], (7, *W)),
    "repeat and reshape": lambda w: jnp.repeat(w, 3, axis=1).reshape(4, 3, 3, 2, 5),
    "tile": lambda w: jnp.tile(w, (1, 2, 1, 1)),
    "slice": lambda w: w[1:3, :, :, ::2],
    "one index": lambda w: w[2, :, 1],
    "a dynamic slice": lambda w: jax.lax.dynamic_slice_in_dim(w, 1, 2, 3),
    "reverse": lambda w: jnp.flip(w, (0, 1)),
    "padding": lambda w: jnp.pad(w, ((0, 0), (1, 1), (0, 0), (2, 0)), mode="edge"),
    "split": lambda w: jnp.split(w, 2, axis=0)[1],
    "concatenate": lambda w: jnp.concatenate([w, w], axis=2),
    "stack": lambda w: jnp.stack([w, w], axis=1),
    "unstack": lambda w: jnp.unstack(w, axis=2)[1],
    "rows by number": lambda w: w[np.array([0, 2, 3])],
    "places by number": lambda w: w[:, :, np.array([0, 1, 0]), np.array([0, 4, 2])],
    "a slice of what two axes became": lambda w: w.reshape(12, 10)[2:11, 1:],
    "jit": jax.jit(lambda w: w.T),
    "remat": jax.checkpoint(lambda w: w.T),
    "cond": lambda w: jax.lax.cond(True, lambda: w.swapaxes(0, 3), lambda: 2 * w.swapaxes(0, 3)),
    "scan": lambda w: jax.lax.scan(lambda carry, row: (carry, row.T), 0, w)[1][1],
    "carried": lambda w: jax.lax.fori_loop(0, 3, lambda i, v: v * 2, w),
    "while": lambda w: jax.lax.while_loop(lambda v: v.sum() < -1, lambda v: v * 2, w),
    "custom derivative": jax.nn.relu,
}


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("axis", range(4))
def test_an_axis_is_where_the_value_varies(move, axis):
    view = view_of(MOVES[move])
    assert {i for i in range(len(view)) if axis in along(view, [i])} == varies(MOVES[move], axis)


def test_factors_by_hand():
    (first, last) = view_of(lambda w: w.reshape(2, 60))
    assert first == (Part(frozenset({0}), 2),)
    assert last == tuple(Part(frozenset({i}), n) for i, n in ((0, 2), (1, 3), (2, 2), (3, 5)))


@pytest.mark.parametrize(
    "move",
    [
        lambda w: w.reshape(5, 24),  # 5 entries of the first axis begin inside the second
        lambda w: w.sum(0),
        lambda w: jnp.linalg.cholesky(w[0, 0, :, :2]),
        lambda w: jnp.linalg.inv(w[0, 0, :, :2]),
        lambda w: jnp.fft.fft(w),
    ],
)
def test_what_mixes_is_not_followed(move):
    assert view_of(move) is None


def test_what_is_normalized_is_followed():
    """The weight's own statistics add nothing, on whatever axes."""
    norm = lambda w: w / jnp.sqrt((w**2).sum((0, 1), keepdims=True)) - w.mean()  # noqa: E731
    assert view_of(norm) == whole(W)


def test_two_views_together():
    a, b = whole((3, 3)), view_of(lambda w: w.T, (3, 3))
    assert merged(a, None) == merged(None, a) == a
    both = (Part(frozenset({0, 1}), 3),)
    assert merged(a, b) == (both, both)
    assert along(merged(a, b), [0]) == {0, 1}
