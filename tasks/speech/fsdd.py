"""Free Spoken Digit Dataset: DS-CNN (Zhang et al. 2017, arXiv 1711.07128) on log-mel features. Accuracy.

DSCNN: the dataset's official split, all voices known, so that what it tells holds for these voices. SPEAKERS: one task
for each voice that is left out of training, the honest hard ones, augmented more; report all six and their mean.
Features are normalized per utterance.
Time: the dense nets of the six voices take 40 minutes on one core.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from tasks.base import BATCH_NORM, DeviceArrays, Metric, Recipe, Task
from tasks.classification import correct, cross_entropy
from tasks.data import fsdd
from tasks.data.audio import utterances
from tasks.nets.dscnn import DSCNN
from tasks.speech.augment import masked_and_shifted

FEATURES = {"length": 256, "hop": 160, "bands": 32, "rate": fsdd.RATE, "low": 60, "high": 4000}


def prepare(arrays: DeviceArrays) -> DeviceArrays:
    """Returns x [N, 49, 32] float32 and y [N] int32; x is log-mel energies, standardized over each utterance.

    Frames behind an utterance's end are 0.
    """
    return {"x": utterances(arrays["audio"], arrays["length"], **FEATURES), "y": arrays["y"]}


def augmented(**strengths: Any) -> Callable[..., DeviceArrays]:
    """Returns the `batch` of a task: x [B, 49, 32, 1] float32, y [B] int32.

    Given a key, x is shifted in time and pitch, and masked; strengths are those of `masked_and_shifted`.
    """

    def batch(arrays, rows, key):
        x = arrays["x"][rows]
        if key is not None:
            x = masked_and_shifted(x, key, **strengths)
        return {"x": x[..., None], "y": arrays["y"][rows]}

    return batch


_task = partial(
    Task,
    version=2,
    modality="speech",
    offers=BATCH_NORM,
    net=DSCNN(channels=(64, 64, 64, 64), kernel=(10, 4), strides=(4, 2), classes=10),
    prepare=prepare,
    loss=cross_entropy,
    outcomes=correct,
    metric=Metric("accuracy", "correct", higher_is_better=True),
    dense=Recipe(steps=1800, batch_size=32, learning_rate=5e-3, weight_decay=1e-2, warmup=50),
    recovery=Recipe(steps=400, batch_size=32, learning_rate=4e-3, weight_decay=1e-2, warmup=20),
    eval_batch=100,
    reference=0.1,
)

DSCNN_OFFICIAL = _task(
    name="fsdd_dscnn",
    source="FSDD, official split: all voices known",
    load=fsdd.load,
    batch=augmented(shift=4, mask=(4, 3), bands=1),
    reach=0.965,
    window=(11_000, 15_000),
)
_STRONG = augmented(shift=6, mask=(8, 6), bands=2)
SPEAKERS = tuple(
    _task(
        name=f"fsdd_speaker_{speaker}",
        source=f"FSDD, the voice of {speaker} left out of training",
        load=partial(fsdd.load_without, speaker),
        batch=_STRONG,
        reach=0.5,  # the mean over the six voices must reach 0.65
    )
    for speaker in fsdd.SPEAKERS
)
