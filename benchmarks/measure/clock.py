"""Time spent optimizing, with compilation apart, over all the processes that a run takes."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import jax

_COMPILE_EVENT = "/jax/core/compile/backend_compile_duration"
_CACHED_EVENT = "/jax/compilation_cache/cache_hits"


class Clock:
    """`with clock: ...` adds to `seconds`; compilation goes to `compile_s` instead.

    Tracing counts as compilation where `compiling()` says so; XLA's own work always does. `cached` counts the programs
    that came from the compilation cache instead, and `starts` the processes that the work has taken.
    """

    def __init__(self) -> None:
        self.seconds = self.compile_s = 0.0
        self.cached, self.starts = 0, 1
        self.steps_compiled = 0
        self._inside = False

    def facts(self) -> dict[str, Any]:
        """Returns what a resumed run goes on from."""
        spent = time.perf_counter() - self._start - (self.compile_s - self._before) if self._start else 0.0
        return {
            "seconds": self.seconds + spent,
            "compile_s": self.compile_s,
            "cached": self.cached,
            "starts": self.starts,
        }

    def resume(self, facts: dict[str, Any]) -> None:
        """Adds what an earlier process has spent."""
        self.seconds += facts["seconds"]
        self.compile_s += facts["compile_s"]
        self.cached += facts["cached"]
        self.starts += facts["starts"]
        if self._start:
            self._before += facts["compile_s"]

    _start = _before = 0.0

    def __enter__(self) -> "Clock":
        self._start, self._before = time.perf_counter(), self.compile_s
        jax.monitoring.register_event_duration_secs_listener(self._heard)
        jax.monitoring.register_event_listener(self._hit)
        return self

    def __exit__(self, *_: object) -> None:
        jax.monitoring.unregister_event_duration_listener(self._heard)
        jax.monitoring.unregister_event_listener(self._hit)
        self.seconds += time.perf_counter() - self._start - (self.compile_s - self._before)
        self._start = 0.0

    @contextlib.contextmanager
    def compiling(self) -> Iterator[None]:
        """Counts the body, which traces and compiles a training step, as compilation."""
        start, self._inside = time.perf_counter(), True
        try:
            yield
        finally:
            self._inside = False
        self.compile_s += time.perf_counter() - start
        self.steps_compiled += 1

    def _heard(self, event: str, duration_secs: float, **kwargs: str | int) -> None:
        if event == _COMPILE_EVENT and not self._inside:
            self.compile_s += duration_secs

    def _hit(self, event: str, **kwargs: str | int) -> None:
        self.cached += event == _CACHED_EVENT
