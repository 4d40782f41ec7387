"""A GPT on the words of WikiText-2. Wants a GPU.

Paper: Merity et al. 2017 (arXiv 1609.07843): perplexity 100.9 of an LSTM, so 4.6 nats per word. Command:

    python -m benchmarks.run --config=configs/wikitext2_gpt.py

Expected: the dense net reaches its bar. Not run on the board yet.
"""

from benchmarks.plan.config import Config
from configs.base import board


def get_config(arg: str = "") -> Config:
    return board("wikitext2_gpt", arg=arg)
