"""Pruning: the rows of its methods."""

from methods.base import Entry
from methods.pruning import random_weights
from methods.pruning.channels import CHANNELS, RANDOM_CHANNELS
from methods.pruning.magnitude import MAGNITUDE

METHODS: dict[str, Entry] = {
    "magnitude": MAGNITUDE,
    **random_weights.METHODS,
    "channels": CHANNELS,
    "random_channels": RANDOM_CHANNELS,
}
