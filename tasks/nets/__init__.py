"""Nets by name: what an artifact's metadata names and `net_from_json` builds again.

A net is a Flax Linen module `__call__(x, train)`, its fields numbers, strings and tuples of them, with two methods:

`groups()` -> {name: Group}: the channels that must live and die together.
`resize(sizes)` -> the same net with the named groups at other sizes.
"""

import dataclasses

from tasks.nets.bcresnet import BCResNet
from tasks.nets.conformer import Conformer
from tasks.nets.convnet import ConvNet
from tasks.nets.dscnn import DSCNN
from tasks.nets.encoder import Encoder
from tasks.nets.gpt import GPT
from tasks.nets.mlp import MLP
from tasks.nets.resnet import ResNet
from tasks.nets.vgg import VGG

NETS: dict[str, type] = {
    net.__name__: net for net in (BCResNet, Conformer, ConvNet, DSCNN, Encoder, GPT, MLP, ResNet, VGG)
}


def net_to_json(net) -> dict:
    """{"name": ..., "fields": {...}}, enough to build the net again."""
    skip = {"parent", "name"}
    fields = {f.name: getattr(net, f.name) for f in dataclasses.fields(net) if f.name not in skip}
    return {"name": type(net).__name__, "fields": fields}


def net_from_json(spec: dict):
    """Inverse of `net_to_json`. Raises ValueError if the net is unknown or its fields do not fit."""
    if spec["name"] not in NETS:
        raise ValueError(f"unknown net {spec['name']!r}; known are {sorted(NETS)}")
    fields = {k: tuple(v) if isinstance(v, list) else v for k, v in spec["fields"].items()}
    try:
        return NETS[spec["name"]](**fields)
    except TypeError as error:
        raise ValueError(f"net {spec['name']!r}: {error}") from None
