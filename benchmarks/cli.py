"""What the suite's programs share: flags only, --help, and a mistake of the user's as one line."""

import sys
from collections.abc import Callable

from absl import flags

from benchmarks.config import UsageError
from tasks.data.store.dataset import DataError


def call(program: Callable, values: flags.FlagValues, argv: list[str], about: str, takes: tuple[str, ...] = ()) -> int:
    """Parses `argv` into `values` and returns what `program(values, *rest)` returns, 0 if that is None.

    `about`: what --help prints above the flags. `takes`: names of what must be there beside flags, the `rest`.
    A UsageError, DataError or wrong flag is one line and exit code 2.
    """
    flags.DEFINE_bool("help", False, "Print this and stop.", flag_values=values)
    try:
        rest = values(argv)[1:]
        if values.help:
            print(f"{about}\n{values.get_help()}")
            return 0
        if len(rest) < len(takes):
            raise UsageError(f"{takes[len(rest)]} is missing; see --help")
        if len(rest) > len(takes):
            raise UsageError(f"{rest[len(takes)]!r} is not a flag; see --help")
        return program(values, *rest) or 0
    except (UsageError, DataError, flags.Error) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
