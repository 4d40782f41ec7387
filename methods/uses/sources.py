"""Where inputs of modules come from: which modules read the same array, and which module made it.

An array is followed while the net is traced: it is the same one only if nothing, not even a cast, lies between.
"""

from collections.abc import Collection
from typing import NamedTuple

import jax
from flax import linen as nn

from methods.base import PyTree
from methods.flaxnet import compose, forward, module_path, tap_inputs


class Source(NamedTuple):
    """An array, or several if a module is called several times."""

    readers: tuple[str, ...]  # paths of the modules that it enters, in order of their first calls
    maker: str | None  # path of the module that returned it; None where there is none, or several


def sources(net: nn.Module, variables: PyTree, example: PyTree, paths: Collection[str]) -> list[Source]:
    """Returns the arrays that enter some modules as their first argument; each module reads one of them.

    Args:
      net: what is traced.
      variables: of the net, arrays or their shapes and dtypes.
      example: an input, array [1, ...] or a tree of them; only its shape matters.
      paths: of the modules.
    """
    made, read, alive = {}, {}, []  # by identity, which holds as long as the arrays live

    def note(next_fun, args, kwargs, context):
        out = next_fun(*args, **kwargs)
        alive.append(out)
        made.setdefault(id(out), module_path(context))
        return out

    def enter(path, x):
        alive.append(x)
        read.setdefault(path, set()).add(id(x))
        return x

    tap = compose([note, tap_inputs(enter, paths)])
    jax.eval_shape(lambda v, x: forward(net, v, x, tap=tap)[0], variables, example)
    return [Source(readers, _only({made.get(i) for i in ids})) for readers, ids in _joined(read)]


def _joined(read: dict[str, set[int]]) -> list[tuple[tuple[str, ...], set[int]]]:
    """Returns (modules, arrays): those that share an array belong together."""
    groups = []
    for path, ids in read.items():
        touching = [group for group in groups if group[1] & ids]
        groups = [group for group in groups if not group[1] & ids]
        readers = (*(reader for group in touching for reader in group[0]), path)
        groups.append((readers, ids.union(*(group[1] for group in touching))))
    return groups


def _only(makers: set[str | None]) -> str | None:
    return makers.pop() if len(makers) == 1 else None
