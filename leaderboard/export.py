"""`python -m leaderboard.export`: the board as CSV, as LaTeX tables, or the papers of its methods as BibTeX."""

import argparse
import sys
from pathlib import Path

from leaderboard.board.board import boards
from leaderboard.cli import Parser, UsageError, board_of, call, complain
from leaderboard.record.atomic import write_atomically
from leaderboard.record.files import read_all
from leaderboard.render.bibtex import as_bibtex
from leaderboard.render.csv import as_csv
from leaderboard.render.latex import as_latex

FORMATS = {"csv": as_csv, "latex": as_latex, "bibtex": as_bibtex}


def main(argv: list[str]) -> int:
    """Exit code: 0 done, 2 a flag or a record is wrong."""
    return call(_export, _parser(), argv)


def _parser():
    parser = Parser("export", __doc__)
    parser.add_results()
    parser.add_argument("--format", choices=FORMATS, required=True, help="csv, latex (booktabs) or bibtex")
    parser.add_argument("--task", help="one task instead of all")
    parser.add_argument("--out", type=Path, help="file to write; default: the terminal")
    return parser


def _export(args: argparse.Namespace) -> int:
    if args.out and args.out.is_dir():
        raise UsageError(f"--out={args.out}: is a folder, it must be a file")
    records, refused = read_all(args.results)
    found = boards(records)
    text = FORMATS[args.format]([board_of(found, args.task)] if args.task else found)
    if args.out:
        write_atomically(args.out, text)
    else:
        sys.stdout.write(text)
    return complain(refused)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
