"""Augmentation of log-mel features: shifts, and the masks of SpecAugment (Park et al. 2019, arXiv 1904.08779)."""

import jax
import jax.numpy as jnp


def masked_and_shifted(x: jax.Array, key: jax.Array, *, shift: int, mask: tuple[int, int], bands: int = 0) -> jax.Array:
    """Returns features [B, F, M] rolled in time and pitch, then one stretch of frames and one of bands set to 0.

    Args:
        x: [B, F, M] float, frames × mel bands.
        key: of all draws.
        shift: frames by which an example is rolled at most, either way.
        mask: the longest stretches that are set to 0, in frames and in bands.
        bands: bands by which an example is rolled at most, either way.
    """
    later, higher, *hidden = jax.random.uniform(key, (6, len(x)))
    x = _rolled(x, later, shift, 1)
    x = _rolled(x, higher, bands, 2) if bands else x
    places = [jnp.arange(size) for size in x.shape[1:]]
    # `hidden` has four rows, which the type checker cannot know.
    frames, rows = _mask(places[0], *hidden[:2], mask[0]), _mask(places[1], *hidden[2:], mask[1])  # pyright: ignore[reportCallIssue]
    return jnp.where(frames[:, :, None] | rows[:, None], 0.0, x)


def _rolled(x, draw, most, axis):
    """Along `axis`, by -most..most places; `draw [B]` in [0, 1)."""
    by = jnp.floor(draw * (2 * most + 1)).astype(jnp.int32) - most
    index = (jnp.arange(x.shape[axis]) - by[:, None]) % x.shape[axis]
    return jnp.take_along_axis(x, jnp.expand_dims(index, 3 - axis), axis)


def _mask(places, length, start, longest):
    """Bool [B, places], True along 0..longest of them; `length` and `start [B]` are draws in [0, 1)."""
    length = jnp.floor(length * (longest + 1))[:, None]
    start = jnp.floor(start[:, None] * (places.size - length + 1))
    return (places >= start) & (places < start + length)
