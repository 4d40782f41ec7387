"""Signals that ask a run to stop: it saves its state and ends; the same command goes on from there."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

ASKING = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
"""SIGTERM and SIGUSR1 are what Slurm and submitit send before they take a machine away."""

_asked: list[int] = []


def asked() -> int | None:
    """Returns the number of the signal that has asked this process to stop; None if none has."""
    return _asked[0] if _asked else None


@contextlib.contextmanager
def heeded() -> Iterator[None]:
    """Notes the signals that arrive while the body runs; a second one ends the process at once."""
    _asked.clear()
    before = {number: signal.signal(number, _note) for number in ASKING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _note(number: int, frame: FrameType | None) -> None:
    if _asked:
        raise KeyboardInterrupt
    _asked.append(number)
