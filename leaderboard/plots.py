"""`python -m leaderboard.plots`: the trade-off plot of each task as SVG and PNG, for papers."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import vl_convert
from absl import flags

from leaderboard.command import Command, call, complain
from leaderboard.inputs import define_results, define_task, read_boards
from leaderboard.record.atomic import write_atomically
from leaderboard.render.plots import AXES, spec

VEGA_LITE, SCALE = "6.4", 3


def main(argv: Sequence[str]) -> int:
    """Returns the exit code: 0 done, 2 a flag or a record is wrong."""
    return call(_plots, _command(), argv)


def _command() -> Command:
    values = flags.FlagValues()
    flags.DEFINE_string("out", None, "Folder for <task>-<division>-<axis>.svg and .png.", flag_values=values)
    define_results(values)
    define_task(values, "One task instead of all.")
    flags.DEFINE_enum("by", "bytes", list(AXES), "Horizontal axis.", flag_values=values)
    return Command(__doc__, values, required=("out",))


def _plots(values: flags.FlagValues) -> int:
    found, refused = read_boards(values)
    for board in found:
        for division in board.divisions:
            if any(row.figures for row in division.rows):
                stem = Path(values.out) / f"{board.task.name}-{division.name}-{values.by}"
                _write(stem, spec(board, division, AXES[values.by]))
    return complain(refused)


def _write(stem: Path, filled: dict[str, Any]) -> None:
    write_atomically(f"{stem}.svg", vl_convert.vegalite_to_svg(filled, vl_version=VEGA_LITE))
    write_atomically(f"{stem}.png", vl_convert.vegalite_to_png(filled, vl_version=VEGA_LITE, scale=SCALE))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
