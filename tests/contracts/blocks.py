"""The tiny task of a transformer: sentences of four tokens, whose class is that of the first."""

import dataclasses

import numpy as np

from tasks.base import Data, Task
from tasks.nets.encoder import encoder


def with_blocks(tiny: Task) -> Task:
    return dataclasses.replace(
        tiny,
        name="tiny_blocks",
        modality="language",
        net=encoder(vocabulary=7, context=4, layers=1, width=8, heads=2, classes=3),
        load=load,
        offers=tiny.offers | {"blocks"},
    )


def _split(count, seed):
    x = np.random.default_rng(seed).integers(1, 7, (count, 4), np.int32)
    return {"x": x, "y": x[:, 0] % 3}


def load() -> Data:
    train = _split(48, 0)
    return Data(train, _split(10, 1), _split(11, 2), {name: a[:8] for name, a in train.items()})
