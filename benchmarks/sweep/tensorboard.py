"""TensorBoard scalars, without TensorFlow."""

import time
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog  # pyright: ignore[reportAttributeAccessIssue]
from tensorboard.compat.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]
from tensorboard.summary.writer.event_file_writer import EventFileWriter


class Scalars:
    """Appends to an event file in `folder`, which is made at the first value."""

    def __init__(self, folder: Path) -> None:
        self._folder = Path(folder)
        self._writer: EventFileWriter | None = None

    def _open(self) -> EventFileWriter:
        if self._writer is None:
            self._writer = EventFileWriter(str(self._folder))
        return self._writer

    def resume(self, step: int) -> None:
        """Drops what an earlier process wrote after `step`: TensorBoard shows each step once."""
        log = SessionLog(status=SessionLog.START)
        self._open().add_event(Event(step=step + 1, wall_time=time.time(), session_log=log))

    def add(self, step: int, **values: float) -> None:
        """Adds one event at `step`: {tag: value}."""
        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()])
        self._open().add_event(Event(step=step, wall_time=time.time(), summary=summary))

    def close(self) -> None:
        """Writes what is left."""
        if self._writer is not None:
            self._writer.close()
