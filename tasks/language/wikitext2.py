"""Word language model of WikiText-2, the standard split (Merity et al. 2017, arXiv 1609.07843). Nats per word.

Perplexity is the exponential of the mean. The paper's LSTM reaches 100.9. Time: wants a GPU.
"""

import math
from functools import partial

from tasks.base import TRANSFORMER, Metric, Recipe, Task
from tasks.data import text, wikitext
from tasks.language_model import nats, unigram, windows
from tasks.nets.gpt import gpt

LENGTH = 64

TASK = Task(
    name="wikitext2_gpt",
    version=2,
    modality="language",
    offers=TRANSFORMER,
    source="WikiText-2, words",
    net=gpt(wikitext.VOCABULARY, LENGTH, layers=4, width=256, heads=4, dropout=0.3),
    load=partial(wikitext.load, LENGTH),
    batch=windows(LENGTH),
    loss=nats,
    outcomes=nats,
    metric=Metric("nats per word", "loss", higher_is_better=False),
    dense=Recipe(steps=10000, batch_size=32, learning_rate=1e-3, weight_decay=0.1, warmup=500, clip=1.0),
    recovery=Recipe(steps=2000, batch_size=32, learning_rate=5e-4, weight_decay=0.1, warmup=100, clip=1.0),
    eval_batch=16,
    reach=round(math.log(140), 2),
    clusters=text.runs,
    margin=0.05,
    window=(4_200_000, 13_000_000),
    reference=partial(unigram, length=LENGTH, vocabulary=wikitext.VOCABULARY),
)
