"""Speech Commands v2, 12 classes, the official hash split: keyword spotting. Accuracy.

DSCNN: DS-CNN-S on 49 × 10 MFCC as in MLPerf Tiny (Banbury et al. 2021, arXiv 2106.07597), whose bar is 90 %. BCRESNET:
BC-ResNet-1 on 40 log-mel bands (Kim et al. 2021, arXiv 2106.04140, table 1), 96.9 %.
"""

from functools import partial

from tasks.base import BATCH_NORM, Metric, Recipe, Task
from tasks.classification import correct, cross_entropy
from tasks.data import speech_commands
from tasks.data.audio import by_parts, log_mel, mfcc
from tasks.nets.bcresnet import bcresnet1
from tasks.nets.dscnn import dscnn_s
from tasks.speech.augment import masked_and_shifted

# MLPerf Tiny's keyword spotting (Banbury et al. 2021, arXiv 2106.07597): 30 ms every 20 ms, so 1 s makes 49 × 10. Its
# code takes magnitudes where `log_mel` takes powers, and pads frames to 512 samples.
KEYWORDS = {
    "length": 480,
    "hop": 320,
    "bands": 40,
    "rate": speech_commands.RATE,
    "low": 20,
    "high": 4000,
    "coefficients": 10,
}
BANDS = {"length": 480, "hop": 160, "bands": 40, "rate": speech_commands.RATE, "low": 20, "high": 8000}


def _prepare(features, arrays):
    """The prepared split: x [N, F, M] float32 of mean 0, y [N] int32. `features` takes signals [B, S] in [-1, 1]."""
    x = by_parts(lambda audio: features(audio[None] / 32768.0)[0], arrays["audio"])
    return {"x": x - x.mean((1, 2), keepdims=True), "y": arrays["y"]}


def _batch(mask, arrays, rows, key):
    """The batch: x [B, F, M, 1] float32, y [B] int32; given a key, shifted by up to 0.1 s and masked."""
    x = arrays["x"][rows]
    if key is not None:
        x = masked_and_shifted(x, key, shift=x.shape[1] // 10, mask=mask)
    return {"x": x[..., None], "y": arrays["y"][rows]}


_task = partial(
    Task,
    version=2,
    modality="speech",
    offers=BATCH_NORM,
    source="Speech Commands v2, 12 classes",
    load=speech_commands.load,
    loss=cross_entropy,
    outcomes=correct,
    metric=Metric("accuracy", "correct", higher_is_better=True),
    dense=Recipe(steps=12000, batch_size=100, learning_rate=2e-3, weight_decay=1e-2, warmup=500),
    recovery=Recipe(steps=2400, batch_size=100, learning_rate=1e-3, weight_decay=1e-2, warmup=100),
    eval_batch=100,
    reach=0.90,
    clusters=lambda arrays: arrays["speaker"],
    reference=0.0833,  # 1 / 12
)

DSCNN = _task(
    name="speech_commands_dscnn",
    window=(14_000, 19_000),
    net=dscnn_s(),
    prepare=partial(_prepare, partial(mfcc, **KEYWORDS)),
    batch=partial(_batch, (8, 0)),
)
BCRESNET = _task(
    name="speech_commands_bcresnet",
    net=bcresnet1(),
    prepare=partial(_prepare, partial(log_mel, **BANDS)),
    batch=partial(_batch, (10, 6)),
)
