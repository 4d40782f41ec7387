"""The compiled programs of this process: each compiled once, all freed together."""

from collections.abc import Callable, Hashable
from typing import Any

import jax


class Programs:
    """Programs by what they were made of."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Any] = {}

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Returns the program of `key`, made if there is none yet."""
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]

    def clear(self) -> None:
        """Frees every compiled program, JAX's own caches included.

        Those of one net take some thousand memory maps on a CPU, of which Linux grants a process 65,530: with many
        nets in one process, the compiler would crash in the end.
        """
        self._known.clear()
        jax.clear_caches()


PROGRAMS = Programs()
