"""What the suite's programs share: flags, --help, and every way to end with one line and an exit code."""

import os
import signal
import sys
import traceback
from collections.abc import Callable

from absl import flags

from benchmarks.plan.errors import UsageError
from benchmarks.train.signals import Stopped
from leaderboard.record.files import RecordError
from tasks.data.store.dataset import DataError

OUR_FAULT = 70
"""Exit code of a crash of the program itself, as in <sysexits.h>."""


def call(program: Callable, values: flags.FlagValues, argv: list[str], about: str, takes: tuple[str, ...] = ()) -> int:
    """Runs a program and returns its exit code.

    Args:
      program: called with `values` and what stands beside flags; returns its exit code, None for 0.
      values: the flags, parsed from `argv`.
      argv: name of the program and its arguments.
      about: what --help prints above the flags.
      takes: names of what must stand beside flags.

    Returns:
      What the program returns; 2 for a mistake of the user's, in one line; 70 for a crash; 128 + n for signal n.
    """
    flags.DEFINE_bool("help", False, "Print this and stop.", flag_values=values)
    try:
        rest = values(argv)[1:]
        if values.help:
            print_safely(f"{about}\n{values.get_help()}")
            return 0
        _check_given(values, rest, takes)
        return program(values, *rest) or 0
    except (UsageError, DataError, RecordError, flags.Error) as error:
        return _said(f"error: {error}", 2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that closing it says nothing either
        return 128 + signal.SIGPIPE
    except OSError as error:
        return _said(f"error: {error.filename or 'standard output'}: {error.strerror}", 2)
    except Stopped as stopped:
        return _said(f"{stopped}; the same command goes on from there", stopped.code)
    except KeyboardInterrupt:
        return _said("interrupted", 128 + signal.SIGINT)
    except Exception:
        traceback.print_exc()
        return _said("this is a fault of slimbench; please report it with the lines above", OUR_FAULT)


def _check_given(values: flags.FlagValues, rest: list[str], takes: tuple[str, ...]) -> None:
    if len(rest) < len(takes):
        raise UsageError(f"{takes[len(rest)]} is missing; see --help")
    if len(rest) > len(takes):
        raise UsageError(f"{rest[len(takes)]!r} is not a flag; see --help")
    for name in values:
        flag = values[name]
        if flag.present and flag.value in ("", []):
            raise UsageError(f"--{name}: is empty; leave it out or give it a value")


def _said(text: str, code: int) -> int:
    print(text, file=sys.stderr)
    return code


def print_safely(text: str) -> None:
    """Prints; what the terminal's encoding cannot show is replaced by "?"."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), flush=True)
