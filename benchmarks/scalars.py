"""TensorBoard scalars, without TensorFlow."""

import time
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter


class Scalars:
    """Appends to an event file in `folder`, which is made at the first value."""

    def __init__(self, folder: Path):
        self._folder, self._writer = Path(folder), None

    def add(self, step: int, **values: float) -> None:
        """One event at `step`: {tag: value}."""
        if self._writer is None:
            self._writer = EventFileWriter(str(self._folder))
        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()])
        self._writer.add_event(Event(step=step, wall_time=time.time(), summary=summary))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
