"""What the commands of the board read: the records of --results, of all tasks or of --task.

The board's own records are held against the registry; those of another folder, such as a run's, are as they say.
"""

from collections.abc import Mapping
from pathlib import Path

from absl import flags

from leaderboard.board.board import Board, boards
from leaderboard.command import UsageError
from leaderboard.record import registry
from leaderboard.record.files import RecordError, read_all
from leaderboard.record.layout import RESULTS
from leaderboard.record.registry import TASKS, Known


def define_results(values: flags.FlagValues) -> None:
    """Defines --results."""
    flags.DEFINE_string("results", str(RESULTS), "Folder of records.", flag_values=values)


def define_task(values: flags.FlagValues, help: str) -> None:
    """Defines --task."""
    flags.DEFINE_string("task", None, help, flag_values=values)


def governing(folder: str | Path) -> Mapping[str, Known] | None:
    """Returns the registry that governs a folder of records; None where none does. Raises RecordError."""
    return registry.read(TASKS) if Path(folder).resolve() == RESULTS.resolve() else None


def read_boards(values: flags.FlagValues) -> tuple[list[Board], list[RecordError]]:
    """Returns the boards that the flags ask for, and an error for each record that is refused.

    Raises UsageError if --task has no records, RecordError if there is no such folder.
    """
    records, refused = read_all(values.results)
    found = boards(records, governing(values.results))
    if "task" not in values or values.task is None:
        return found, refused
    asked = [board for board in found if board.task.name == values.task]
    if not asked:
        known = ", ".join(board.task.name for board in found)
        raise UsageError(f"--task: there are no records of {values.task!r}; there are of {known or 'no task'}")
    return asked, refused
