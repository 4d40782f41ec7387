"""What a method takes beside its training: examples of calibration and valid, uses of their labels, its own steps."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import jax

UNLABELLED = frozenset({"x", "weight"})
"""Keys of a batch that are no labels: the net's input, and which output places count."""


class Drawn:
    """Counts what is handed out to a method."""

    def __init__(self) -> None:
        self.examples = 0  # distinct
        self.drawn = 0  # × passes
        self.labelled = 0  # × uses of their labels
        self.steps = 0  # of optimization of its own

    def pay(self, steps: int, examples: int) -> None:
        """Counts an optimization that a method makes by itself, outside of the training loop.

        Args:
          steps: of it.
          examples: in all of these steps together.
        """
        self.steps, self.drawn = self.steps + steps, self.drawn + examples

    def batch(self, arrays: Mapping[str, Any], first: int, size: int) -> "Batch":
        """Returns a batch that notes when its labels are used.

        Args:
          arrays: what is in it, by key.
          first: place of its first example in the split.
          size: examples in it.
        """
        self.examples, self.drawn = max(self.examples, first + size), self.drawn + size
        return Batch(arrays, self, size)


@jax.tree_util.register_pytree_with_keys_class
class Batch(Mapping):
    """A batch of calibration data: a mapping, and a pytree that arrives inside jit and the like as a plain dict.

    Each of these is one use of its labels: the loss of the problem, called outside jit; a look at a label, where looks
    at different ones are a single use; and the first time that the batch is passed whole to jit and the like. Who keeps
    a batch and passes it again is not seen: a method draws anew for each pass.
    """

    def __init__(self, arrays: Mapping[str, Any], notes: Drawn, size: int) -> None:
        self._arrays, self._notes, self._size = dict(arrays), notes, size
        self._looks, self._looked, self._whole = Counter(), 0, False

    def __getitem__(self, key: str) -> Any:
        """Returns an array; a label's is noted."""
        if key not in UNLABELLED and key in self._arrays:
            self._looks[key] += 1
            if self._looks[key] > self._looked:
                self._looked += 1
                self.used()
        return self._arrays[key]

    def __iter__(self) -> Iterator[str]:
        """Yields the keys."""
        return iter(self._arrays)

    def __len__(self) -> int:
        """Returns how many arrays there are."""
        return len(self._arrays)

    def used(self) -> dict[str, Any]:
        """Returns the arrays as a plain dict, and notes one use of the labels if there are any."""
        self._notes.labelled += self._size if self._arrays.keys() - UNLABELLED else 0
        return self._arrays

    def tree_flatten_with_keys(self) -> tuple[list, tuple[str, ...]]:
        """Returns the arrays by key: all are used."""
        if not self._whole:  # the call that compiles asks several times
            self._whole = True
            self.used()
        keys = tuple(sorted(self._arrays))
        return [(jax.tree_util.DictKey(key), self._arrays[key]) for key in keys], keys

    @classmethod
    def tree_unflatten(cls, keys: tuple[str, ...], arrays: Any) -> dict[str, Any]:
        """Returns a plain dict."""
        return dict(zip(keys, arrays, strict=True))


def plain(batch: Batch | dict[str, Any]) -> dict[str, Any]:
    """Returns a batch as a plain dict, its labels used once more if it notes that."""
    return batch.used() if isinstance(batch, Batch) else batch
