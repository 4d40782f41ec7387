"""Pruning: the rows of its methods."""

from methods.base import Entry
from methods.pruning import imp, nm, random_weights, sr_ste
from methods.pruning.channels import CHANNELS, RANDOM_CHANNELS
from methods.pruning.magnitude import MAGNITUDE
from methods.pruning.rigl import RIGL
from methods.pruning.snip import SNIP

METHODS: dict[str, Entry] = {
    "magnitude": MAGNITUDE,
    "snip": SNIP,
    "rigl": RIGL,
    **imp.METHODS,
    **random_weights.METHODS,
    **nm.METHODS,
    **sr_ste.METHODS,
    "channels": CHANNELS,
    "random_channels": RANDOM_CHANNELS,
}
