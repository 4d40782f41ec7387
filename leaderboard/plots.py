"""`python -m leaderboard.plots`: the trade-off plot of each task as SVG and PNG, for papers."""

import argparse
import sys
from pathlib import Path
from typing import Any

import vl_convert

from leaderboard.board.board import boards
from leaderboard.cli import Parser, board_of, call, complain
from leaderboard.record.atomic import write_atomically
from leaderboard.record.files import read_all
from leaderboard.render.plots import AXES, spec

VEGA_LITE, SCALE = "6.4", 3


def main(argv: list[str]) -> int:
    """Exit code: 0 done, 2 a flag or a record is wrong."""
    return call(_plots, _parser(), argv)


def _parser():
    parser = Parser("plots", __doc__)
    parser.add_results()
    parser.add_argument("--task", help="one task; default all")
    parser.add_argument("--by", choices=AXES, default="bytes", help="horizontal axis, default %(default)s")
    parser.add_argument("--out", type=Path, required=True, help="folder for <task>-<division>-<axis>.svg and .png")
    return parser


def _plots(args: argparse.Namespace) -> int:
    records, refused = read_all(args.results)
    found = boards(records)
    for board in found if args.task is None else [board_of(found, args.task)]:
        for division in board.divisions:
            if any(row.figures for row in division.rows):
                stem = args.out / f"{board.task.name}-{division.name}-{args.by}"
                _write(stem, spec(board, division, AXES[args.by]))
    return complain(refused)


def _write(stem: Path, filled: dict[str, Any]) -> None:
    write_atomically(f"{stem}.svg", vl_convert.vegalite_to_svg(filled, vl_version=VEGA_LITE))
    write_atomically(f"{stem}.png", vl_convert.vegalite_to_png(filled, vl_version=VEGA_LITE, scale=SCALE))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
