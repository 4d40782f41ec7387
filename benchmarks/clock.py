"""Time spent optimizing, with compilation apart."""

import contextlib
import time

import jax

_COMPILE_EVENT = "/jax/core/compile/backend_compile_duration"
_running: list["Clock"] = []


class Clock:
    """`with clock: ...` adds to `seconds`; compilation goes to `compile_s` instead.

    Tracing counts as compilation where `compiling()` says so; XLA's own work always does.
    """

    def __init__(self):
        self.seconds = self.compile_s = 0.0
        self.steps_compiled = 0
        self._inside = False

    def __enter__(self):
        self._start, self._before = time.perf_counter(), self.compile_s
        _running.append(self)
        return self

    def __exit__(self, *_):
        _running.remove(self)
        self.seconds += time.perf_counter() - self._start - (self.compile_s - self._before)

    @contextlib.contextmanager
    def compiling(self):
        """The body traces and compiles a training step."""
        start, self._inside = time.perf_counter(), True
        yield
        self._inside = False
        self.compile_s += time.perf_counter() - start
        self.steps_compiled += 1


def _heard(event, seconds, **_):
    if event == _COMPILE_EVENT:
        for clock in _running:
            if not clock._inside:
                clock.compile_s += seconds


jax.monitoring.register_event_duration_secs_listener(_heard)
