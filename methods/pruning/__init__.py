"""Pruning: the rows of its methods."""

from methods.base import Entry
from methods.pruning.channels import CHANNELS
from methods.pruning.magnitude import MAGNITUDE
from methods.pruning.random_order import RANDOM

METHODS: dict[str, Entry] = {
    "magnitude": MAGNITUDE,
    "random": RANDOM,
    "channels": CHANNELS,
}
