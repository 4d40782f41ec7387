"""`python -m leaderboard.export`: the board as CSV, as LaTeX tables, or the papers of its methods as BibTeX."""

import sys
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from leaderboard.command import Command, UsageError, call, complain
from leaderboard.inputs import define_results, define_task, read_boards
from leaderboard.record.atomic import write_atomically
from leaderboard.render.bibtex import as_bibtex
from leaderboard.render.csv import as_csv
from leaderboard.render.latex import as_latex

FORMATS = {"csv": as_csv, "latex": as_latex, "bibtex": as_bibtex}


def main(argv: Sequence[str]) -> int:
    """Returns the exit code: 0 done, 2 a flag or a record is wrong."""
    return call(_export, _command(), argv)


def _command() -> Command:
    values = flags.FlagValues()
    flags.DEFINE_enum("format", None, list(FORMATS), "LaTeX is for booktabs.", flag_values=values)
    define_results(values)
    define_task(values, "One task instead of all.")
    flags.DEFINE_string("out", None, "File to write; without it, standard output.", flag_values=values)
    return Command(__doc__, values, required=("format",))


def _export(values: flags.FlagValues) -> int:
    if values.out and Path(values.out).is_dir():
        raise UsageError(f"--out={values.out}: is a folder, it must be a file")
    found, refused = read_boards(values)
    text = FORMATS[values.format](found)
    if values.out:
        write_atomically(values.out, text)
    else:
        sys.stdout.write(text)
    return complain(refused)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
