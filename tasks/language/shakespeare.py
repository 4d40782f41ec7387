"""Character language models of Tiny Shakespeare: the presets of nanoGPT (Karpathy 2022). Nats per character.

NANO is its preset for CPUs: 4 blocks, 128 wide, 64 characters, 2,000 steps, loss 1.88. GPT is its preset for GPUs:
6 blocks, 384 wide, 256 characters, 5,000 steps, loss 1.47. Both are the loss on the last 10 % of the text.

Deviations: the learning rate falls to 0, not to a tenth; the 50,000 characters of valid are not trained on; weights of
token embedding and head are not tied; test is scored whole, in windows end to end, where nanoGPT draws windows.

GPT wants a GPU.
"""

from functools import partial

from tasks.base import TRANSFORMER, Metric, Recipe, Task
from tasks.data import shakespeare, text
from tasks.language_model import nats, windows
from tasks.nets.gpt import gpt

_task = partial(
    Task,
    version=2,
    modality="language",
    offers=TRANSFORMER,
    source="Tiny Shakespeare",
    loss=nats,
    outcomes=nats,
    metric=Metric("nats per character", "loss", higher_is_better=False),
    reference=3.3475,  # `unigram`
    clusters=text.runs,
    margin=0.03,
)
_recipe = partial(Recipe, learning_rate=1e-3, weight_decay=0.1, warmup=100, beta2=0.99, clip=1.0)

NANO = _task(
    name="shakespeare_nano",
    net=gpt(shakespeare.VOCABULARY, 64, layers=4, width=128, heads=4),
    load=partial(shakespeare.load, 64),
    batch=windows(64),
    dense=_recipe(steps=2000, batch_size=12),
    recovery=_recipe(steps=400, batch_size=12),
    eval_batch=64,
    reach=1.92,
    window=(220_000, 530_000),
)
GPT = _task(
    name="shakespeare_gpt",
    net=gpt(shakespeare.VOCABULARY, 256, layers=6, width=384, heads=6, dropout=0.2),
    load=partial(shakespeare.load, 256),
    batch=windows(256),
    dense=_recipe(steps=5000, batch_size=64),
    recovery=_recipe(steps=1000, batch_size=64),
    eval_batch=32,
    reach=1.5,
    window=(2_500_000, 6_900_000),
)
