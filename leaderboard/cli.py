"""What the board's programs share: argparse, --results, and a mistake of the user's as one line. Needs no absl."""

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from leaderboard.board import Board
from leaderboard.record import RecordError

RESULTS = Path("leaderboard/results")


class UsageError(ValueError):
    """The user's mistake: one line that names the flag or file, and what would be right."""


class Parser(argparse.ArgumentParser):
    """Of `python -m leaderboard.<name>`. Raises UsageError."""

    def __init__(self, name: str, about: str):
        """`about`: the docstring of the program, "`command`: what it does. More."."""
        about = about.partition(": ")[2]
        super().__init__(prog=f"python -m leaderboard.{name}", description=about, allow_abbrev=False)

    def error(self, message):
        raise UsageError(f"{message}; see --help")

    def add_results(self) -> None:
        self.add_argument("--results", type=Path, default=RESULTS, help="folder of records, default %(default)s")


def call(program: Callable[[argparse.Namespace], int], parser: Parser, argv: list[str]) -> int:
    """What `program` returns. A UsageError, RecordError or file that cannot be had is one line and exit code 2."""
    try:
        return program(parser.parse_args(argv))
    except (UsageError, RecordError) as error:
        return complain([error])
    except UnicodeEncodeError as error:
        return complain([f"the terminal's encoding is {error.encoding}, which cannot show this; set PYTHONUTF8=1"])
    except OSError as error:
        return complain([f"{error.filename}: {error.strerror}"])


def board_of(boards: list[Board], task: str) -> Board:
    """The board of --task. Raises UsageError."""
    for board in boards:
        if board.task.name == task:
            return board
    known = ", ".join(board.task.name for board in boards)
    raise UsageError(f"--task: there are no records of {task!r}; there are of {known or 'no task'}")


def complain(errors: Iterable) -> int:
    """One line each on stderr. The exit code: 2, or 0 if there are none."""
    code = 0
    for error in errors:
        print(f"error: {error}", file=sys.stderr)
        code = 2
    return code
