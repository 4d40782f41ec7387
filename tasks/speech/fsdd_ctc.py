"""Connected digits: 2 to 6 recordings of FSDD in a row, a small Conformer trained by CTC. Word error rate.

CTC: Graves et al. 2006. Decoding is greedy: the best class of each frame, repeats merged, blanks dropped.
The net is that of Gulati et al. 2020.
"""

import jax
import jax.numpy as jnp
import optax

from tasks.base import BATCH_NORM, THREE_OF_EACH, DeviceArrays, Metric, Recipe, Task
from tasks.data import fsdd
from tasks.data.audio import utterances
from tasks.nets.conformer import conformer, real_frames
from tasks.speech.augment import masked_and_shifted

# 30 ms every 15 ms, as a digit is long and the frames of the Conformer are four of these.
FEATURES = {"length": 240, "hop": 120, "bands": 40, "rate": fsdd.RATE, "low": 60, "high": 4000}


def prepare(arrays: DeviceArrays) -> DeviceArrays:
    """Returns x [N, 265, 40] float32, y [N, 6] int32 and per_word [N] float32, see `outcomes`.

    x is log-mel energies, standardized over each utterance, 0 behind its end.
    """
    digits = arrays["digits"]
    per_word = jnp.full(len(digits), len(digits) / jnp.sum(digits))
    return {"x": utterances(arrays["audio"], arrays["length"], **FEATURES), "y": arrays["y"], "per_word": per_word}


def batch(arrays: DeviceArrays, rows: jax.Array, key: jax.Array | None) -> DeviceArrays:
    """Returns x [B, 265, 40] float32, y [B, 6] int32 with 0 behind the last digit, per_word [B] and weight [B, 67].

    The last two are float32; weight is 1 where a frame of the output holds sound, 0 behind the end. Augmented, x is
    masked and shifted in pitch.

    Args:
        arrays: a split, as `prepare` returns it.
        rows: [B] int32, the examples.
        key: of the augmentation; None for none.
    """
    x = arrays["x"][rows]
    if key is not None:
        moved = masked_and_shifted(x, key, shift=0, mask=(8, 6), bands=2)
        x = jnp.where((x != 0).any(-1, keepdims=True), moved, 0.0)
    weight = real_frames(x).astype(jnp.float32)
    return {"x": x, "y": arrays["y"][rows], "per_word": arrays["per_word"][rows], "weight": weight}


def loss(out: jax.Array, batch: DeviceArrays) -> jax.Array:
    """Returns -log p(digits) per digit, [B] nats, of logits [B, 67, 11]."""
    hidden = 1.0 - batch["weight"]
    labels = batch["y"] == 0
    return optax.ctc_loss(out, hidden, batch["y"], labels.astype(jnp.float32)) / jnp.sum(~labels, -1)


def outcomes(out: jax.Array, batch: DeviceArrays) -> jax.Array:
    """Returns the edits between what logits [B, 67, 11] say and what was said, [B] float32, per mean utterance.

    They are divided by the mean number of digits of an utterance of the split, so that their mean is the word error
    rate, all edits / all digits.
    """
    best = jnp.where(batch["weight"] > 0, jnp.argmax(out, -1), 0)
    return jax.vmap(edits)(best, batch["y"]) * batch["per_word"]


def edits(frames: jax.Array, said: jax.Array) -> jax.Array:
    """Returns the Levenshtein distance, [] float32, between what `frames` says and `said`.

    `frames` [T] int holds a class per frame: repeats are merged and 0 dropped. `said` [S] int ends at its first 0.
    """
    length = jnp.sum(said != 0)
    start = jnp.arange(len(said) + 1, dtype=jnp.float32)
    heard = (frames != 0) & (frames != jnp.concatenate([jnp.zeros(1, frames.dtype), frames[:-1]]))

    def row(above, place):
        token, counts = place
        substituted = above[:-1] + (said != token)
        best = jnp.concatenate([above[:1] + 1, jnp.minimum(substituted, above[1:] + 1)])
        inserted = jax.lax.cummin(best - start) + start  # d[j] = min over i <= j of best[i] + (j - i)
        return jnp.where(counts, inserted, above), None

    return jax.lax.scan(row, start, (frames, heard))[0][length]


TASK = Task(
    name="fsdd_ctc",
    version=2,
    modality="speech",
    offers=BATCH_NORM,
    source="FSDD, recordings of one voice joined with gaps, official split: all voices known",
    net=conformer(FEATURES["bands"], 11),
    load=fsdd.load_connected,
    prepare=prepare,
    batch=batch,
    loss=loss,
    outcomes=outcomes,
    metric=Metric("word error rate", "edits", higher_is_better=False),
    dense=Recipe(steps=1500, batch_size=16, learning_rate=3e-3, weight_decay=1e-2, warmup=100, clip=5.0),
    recovery=Recipe(steps=750, batch_size=16, learning_rate=4e-3, weight_decay=1e-2, warmup=50, clip=5.0),
    eval_batch=50,
    reach=0.06,
    reference=1.0,  # nothing heard: every word is left out
    window=(67_000, 140_000),
    clusters=lambda arrays: arrays["speaker"],  # utterances of one voice share recordings
    sweeps=THREE_OF_EACH,
)
