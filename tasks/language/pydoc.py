"""Character language model of Python's reference: a two-layer GPT. Bits per character, lower is better."""

import numpy as np

from tasks.base import TRANSFORMER, Data, Metric, Recipe, Task
from tasks.data import pydoc
from tasks.data.ngram import bits_per_character
from tasks.language_model import bits, nats, windows
from tasks.nets.gpt import gpt


def controls(data: Data) -> dict[str, float]:
    """Returns the test bits of a character 3-gram model; unlike the net, it sees across the starts of windows."""
    train, test = (np.concatenate(arrays["tokens"][:, : pydoc.LENGTH]) for arrays in (data.train, data.test))
    return {"3-gram bits per character": bits_per_character(train, test, order=3, vocabulary=pydoc.VOCABULARY)}


TASK = Task(
    name="pydoc",
    version=2,
    modality="language",
    offers=TRANSFORMER,
    source="pydoc_data.topics of the running Python, repeated paragraphs removed; differs between Python versions",
    net=gpt(pydoc.VOCABULARY, pydoc.LENGTH, layers=2, width=48, heads=3),
    load=pydoc.load,
    batch=windows(pydoc.LENGTH),
    loss=nats,
    outcomes=bits,
    metric=Metric("bits per character", "loss", higher_is_better=False),
    dense=Recipe(steps=1000, batch_size=16, learning_rate=6e-3, weight_decay=0.1, warmup=100),
    recovery=Recipe(steps=500, batch_size=16, learning_rate=4e-3, weight_decay=0.1, warmup=50),
    eval_batch=32,
    reach=2.5,
    reference=4.75,  # `unigram` in bits, on Python 3.11
    controls=controls,
    clusters=lambda arrays: arrays["topic"],
    margin=0.05,
    window=(29_000, 47_000),
    seeds=10,
)
