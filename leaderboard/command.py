"""The command line of every command, of the leaderboard and of the benchmarks: flags, --help, exit codes.

0               done
1               what the command itself finds: a job failed, a run differs from its record, a page is not up to date
2               the user's mistake, or a file that cannot be read, written or believed: one line
70              a fault of ours, as in <sysexits.h>: a traceback, and one line that asks to report it
130, 143, 138   stopped by SIGINT, SIGTERM, SIGUSR1
141             nobody reads standard output any more (SIGPIPE): no word
"""

import codecs
import inspect
import io
import os
import shutil
import signal
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TextIO

from absl import flags

from leaderboard.record.files import RecordError
from leaderboard.record.text import plain

DONE, MISTAKE, FAULT = 0, 2, 70
WIDEST = 100
"""Characters of a line of --help."""
SIGNS = {"−": "-", "–": "-", "×": "x", "●": "*", "†": "+", "‡": "++", "±": "+-", "≥": ">=", "≤": "<=", "…": "..."}
"""What is printed for a sign that a terminal or a log cannot show; other characters are escaped: \\xb5."""


class UsageError(ValueError):
    """The user's mistake: one line that names the flag, file or field, what is wrong, and what would be right."""


class Stopped(BaseException):
    """The work ended early since a signal asked for it. Its state is saved."""

    def __init__(self, said: str, number: int) -> None:
        super().__init__(said)
        self.code = 128 + number


class Command(NamedTuple):
    """What a command takes; --help is made of it."""

    about: str | None  # the docstring of its module, "`python -m module`: what it does. More."
    flags: flags.FlagValues  # its own, in the order of --help
    required: tuple[str, ...] = ()  # names of the flags that must be given
    arguments: tuple[str, ...] = ()  # names of what stands beside flags; each must be given
    mistakes: tuple[type[Exception], ...] = ()  # raised for what is the user's, besides UsageError and RecordError


def call(program: Callable[..., int], command: Command, argv: Sequence[str]) -> int:
    """Runs a command and returns its exit code.

    Args:
        program: Called with the parsed flags and the arguments beside them; returns 0 or 1.
        command: What it takes.
        argv: What the user gave, without the name of the program.
    """
    try:
        _check_streams()
        given = parsed(command, argv)
        if command.flags.help:
            print(help_text(command))
        code = DONE if command.flags.help else program(command.flags, *given)
        sys.stdout.flush()
        return code
    except (UsageError, RecordError, *command.mistakes) as error:
        return complain([error])
    except BrokenPipeError:
        _silence(sys.stdout)
        return 128 + signal.SIGPIPE
    except OSError as error:
        return complain([_place(error)])
    except Stopped as stopped:
        return _said(f"{stopped}; the same command goes on from there", stopped.code)
    except KeyboardInterrupt:
        return _said("interrupted", 128 + signal.SIGINT)
    except Exception:
        return _said(
            f"{traceback.format_exc()}this is a fault of slimbench; please report it with the lines above", FAULT
        )


def complain(errors: Iterable[object]) -> int:
    """Prints one line each on stderr. Returns the exit code: 2, or 0 if there are none."""
    code = DONE
    for error in errors:
        code = _said(f"error: {plain(str(error))}", MISTAKE)
    return code


def _said(text: str, code: int) -> int:
    """Prints on stderr, if anything can be printed there; the exit code says the same."""
    stream = sys.stderr
    if stream is not None:
        try:
            print(text, file=stream)
        except OSError:
            _silence(stream)
    return code


def parsed(command: Command, argv: Sequence[str]) -> list[str]:
    """Parses the command's flags in place. Returns the arguments beside them. Raises UsageError."""
    values = command.flags
    flags.DEFINE_bool("help", False, "Print this and stop.", flag_values=values)
    for argument in argv:
        _check_argument(argument, values)
    try:
        given = values(["", *argv])[1:]
    except (flags.Error, ValueError) as error:
        raise UsageError(f"{str(error).removeprefix('flag ').removesuffix(' ?')}; see --help") from None
    if not values.help:
        _check_given(command, given)
    return given


def _check_argument(argument: str, values: flags.FlagValues) -> None:
    """Raises UsageError for what absl would take, or refuse in words of its own."""
    flag, equals, value = argument.partition("=")
    name = flag.lstrip("-") if flag.startswith("-") else ""
    if not argument or (name and equals and not value):
        raise UsageError(f"{flag or 'an argument'}: is empty; give it a value or leave it out")
    if name in ("flagfile", "undefok"):
        raise UsageError(f"Unknown command line flag '{name}'; see --help")
    if name in values and values[name].boolean and equals and value.lower() not in ("true", "false"):
        raise UsageError(f"{argument}: must be true or false, or {flag} alone")


def _check_given(command: Command, given: list[str]) -> None:
    for name in command.required:
        if command.flags[name].value is None:
            raise UsageError(f"--{name}: must be given; see --help")
    if len(given) < len(command.arguments):
        raise UsageError(f"{command.arguments[len(given)]}: must be given; see --help")
    if len(given) > len(command.arguments):
        raise UsageError(f"{given[len(command.arguments)]!r} is not a flag; see --help")


def help_text(command: Command) -> str:
    """Returns what --help prints: how to call the command, what it does, its flags."""
    name, _, about = inspect.cleandoc(command.about or "").partition(": ")
    needed = [f"{_spelled(command.flags[flag])} " for flag in command.required]
    usage = f"usage: {name.strip('`')} {''.join(needed)}[flags] {' '.join(command.arguments)}".rstrip()
    lines = [_described(command.flags[flag]) for flag in command.flags]
    return "\n".join([usage, "", about[:1].upper() + about[1:], "", "flags:", *lines])


def _described(flag: flags.Flag) -> str:
    """A line with the flag's spelling, and its help below."""
    default = "" if flag.default in (None, False, []) else f" Default: {flag.default}."
    width = min(shutil.get_terminal_size().columns, WIDEST)
    indent = " " * 6
    about = textwrap.fill(_help(flag) + default, width, initial_indent=indent, subsequent_indent=indent)
    return f"  {_spelled(flag)}\n{about}"


def _help(flag: flags.Flag) -> str:
    """The help that the flag was given, without what absl adds to it."""
    if isinstance(flag, flags.EnumFlag):
        return flag.help.partition(">: ")[2]
    return flag.help.partition(";\n")[0]


def _spelled(flag: flags.Flag) -> str:
    if flag.boolean:
        return f"--{flag.name}"
    if isinstance(flag, flags.EnumFlag):
        return f"--{flag.name}={'|'.join(flag.parser.enum_values)}"
    return f"--{flag.name}={'A,B,...' if isinstance(flag.parser, flags.ListParser) else '...'}"


def _check_streams() -> None:
    """Lets any terminal show any text. Raises UsageError if there is no standard output."""
    if sys.stdout is None:  # the next file that is opened would get its descriptor
        raise UsageError("standard output is closed; send it to a file or to /dev/null")
    codecs.register_error("signs", _stand_in)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="signs")


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    bad = error.object[error.start : error.end]
    return "".join(SIGNS.get(c) or c.encode("ascii", "backslashreplace").decode() for c in bad), error.end


def _place(error: OSError) -> str:
    """What the system refused, and where if it is known: a failed write does not say of which file it was."""
    if error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    said = error.strerror or str(error)
    return f"standard output: {said}" if _stdout_fails() else said


def _stdout_fails() -> bool:
    """Whether nothing can be printed any more, tried with an empty line; what is printed is dropped then."""
    try:
        print(flush=True)
    except OSError:
        _silence(sys.stdout)
        return True
    return False


def _silence(stream: TextIO) -> None:
    """Lets the interpreter's own flush of the stream, at its end, fall on a device that takes it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
