"""What the board's commands share: flags, where the records are, and a mistake of the user's as one line."""

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from leaderboard.board.board import Board
from leaderboard.board.claims import ClaimError
from leaderboard.record.files import RecordError
from leaderboard.record.layout import RESULTS

ROOT = Path(__file__).parents[1]
"""The clone, wherever a command is called."""
DONE, WRONG, CRASHED, INTERRUPTED, PIPE_CLOSED = 0, 2, 70, 130, 141
"""Exit codes; 1 is left to what a command itself finds."""


class UsageError(ValueError):
    """A mistake of the user's: one line that names the flag or file, and what would be right."""


class Parser(argparse.ArgumentParser):
    """The flags of `python -m leaderboard.<name>`. Raises UsageError."""

    def __init__(self, name: str, about: str | None):
        """`about`: the docstring of the command, "`command`: what it does. More."."""
        about = (about or "").partition(": ")[2]
        super().__init__(prog=f"python -m leaderboard.{name}", description=about, allow_abbrev=False)

    def error(self, message):
        raise UsageError(f"{message}; see --help")

    def parse(self, argv: Sequence[str]) -> argparse.Namespace:
        """Returns the flags. An empty value is refused: it is a variable of the shell that is not set."""
        for argument in argv:
            flag, equals, value = argument.partition("=")
            if not argument or (flag.startswith("--") and equals and not value):
                raise UsageError(f"{flag or 'an argument'}: is empty; give it a value or leave it out")
        return self.parse_args(argv)

    def add_results(self) -> None:
        self.add_argument("--results", type=Path, default=RESULTS, help="folder of records, default %(default)s")


def call(program: Callable[[argparse.Namespace], int], parser: Parser, argv: Sequence[str]) -> int:
    """Returns the exit code of a command.

    A mistake of the user's, or a file that cannot be had or believed, is one line and code 2. A closed pipe is 141, a
    Ctrl-C 130, both without a word. Anything else is a fault of ours: a traceback and code 70.

    Args:
        program: the command; returns 0, or 1 for what it is to find.
        parser: its flags.
        argv: what the user gave, without the name of the program.
    """
    try:
        code = program(parser.parse(argv))
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except (UsageError, RecordError, ClaimError) as error:
        return complain([error])
    except UnicodeEncodeError as error:
        return complain([f"the terminal's encoding is {error.encoding}, which cannot show this; set PYTHONUTF8=1"])
    except BrokenPipeError:
        _silence()
        return PIPE_CLOSED
    except OSError as error:
        if error.filename is None:
            _silence()
        return complain([f"{error.filename or 'stdout'}: {error.strerror}"])
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception:
        traceback.print_exc()
        complain([f"{parser.prog} has a fault; please report it with the lines above"])
        return CRASHED


def _silence() -> None:
    """Lets the interpreter's own flush of stdout, at its end, fall on a device that takes it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def board_of(boards: list[Board], task: str) -> Board:
    """Returns the board of --task. Raises UsageError."""
    for board in boards:
        if board.task.name == task:
            return board
    known = ", ".join(board.task.name for board in boards)
    raise UsageError(f"--task: there are no records of {task!r}; there are of {known or 'no task'}")


def complain(errors: Iterable) -> int:
    """Prints one line each on stderr. Returns the exit code: 2, or 0 if there are none."""
    code = DONE
    for error in errors:
        print(f"error: {error}", file=sys.stderr)
        code = WRONG
    return code
