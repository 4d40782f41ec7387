"""Weights by path: flat views of nested parameters, and the selector that picks among them."""

import re
import warnings
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

import jax
from flax import traverse_util

from methods.base import Fallback, OptionError, PyTree

KERNELS = r"(^|/)(kernel|embedding)$"
"""Default selector: the weights of dense, convolution and embedding layers; not biases, not norms."""

BLOCKS = r"(^|/)block\d+/(.*/)?kernel$"
"""Selector of the dense layers in a transformer's blocks: not the embeddings, not the head."""


def join(names: Iterable[str]) -> str:
    """Returns the path "conv1/kernel" of ("conv1", "kernel"). "/", ":" and "%" inside a name become %2F, %3A, %25."""
    return "/".join(name.translate(_ESCAPES) for name in names)


_ESCAPES = str.maketrans({character: f"%{ord(character):X}" for character in "%/:"})


def flatten(tree: PyTree) -> dict[str, Any]:
    """Returns {"conv1/kernel": leaf, ...}; for names, see `join`."""
    return {join(names): leaf for names, leaf in traverse_util.flatten_dict(tree).items()}


def unflatten(leaves: Mapping[str, Any]) -> PyTree:
    """Returns the tree of nested dicts whose leaves lie at the given paths: the inverse of `flatten`."""
    return traverse_util.unflatten_dict({tuple(map(unquote, path.split("/"))): a for path, a in leaves.items()})


def select(params: PyTree, pattern: str = KERNELS) -> dict[str, Any]:
    """Returns the leaves whose path matches `pattern`, a regular expression, as {path: leaf}.

    Raises OptionError if none does: a selector that matches nothing is a mistake, never a no-op.
    """
    chosen = {path: leaf for path, leaf in flatten(params).items() if re.search(pattern, path)}
    if not chosen:
        raise OptionError(f"selector {pattern!r} matches no weight; paths are {sorted(flatten(params))}")
    return chosen


def note_left(params: PyTree, pattern: str = KERNELS) -> None:
    """Warns of a `Fallback` if `pattern` leaves matrix weights as they are: "4096 of 4288 matrix weights (mlp/weight)".

    A matrix weight has two axes or more and is no bias and no norm's scale, which have two where layers are stacked.
    """
    matrices = {p: w for p, w in flatten(params).items() if w.ndim > 1 and not re.search(r"(^|/)(bias|scale)$", p)}
    left = {path: weight.size for path, weight in matrices.items() if not re.search(pattern, path)}
    if left:
        names = ", ".join([*list(left)[:3], *(["…"] if len(left) > 3 else [])])
        share = f"{sum(left.values())} of {sum(weight.size for weight in matrices.values())} matrix weights ({names})"
        warnings.warn(Fallback(f"{share} are left as they are: the selector is {pattern!r}"), stacklevel=2)


def replace(params: PyTree, leaves: Mapping[str, Any]) -> PyTree:
    """Returns `params` with the leaves at the given paths replaced."""
    return unflatten({**flatten(params), **leaves})


def with_params(variables: PyTree, params: PyTree) -> PyTree:
    """Returns `variables` with another "params" collection."""
    return {**variables, "params": params}


def keys(key: jax.Array, names: Iterable[str]) -> dict[str, jax.Array]:
    """Returns one key for each name, whatever the order of the names."""
    names = sorted(names)
    return dict(zip(names, jax.random.split(key, len(names)), strict=True))
