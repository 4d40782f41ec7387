"""`python -m leaderboard.build`: writes the board's pages from the records, or checks that they are up to date.

A record that is refused is one line on stderr; the pages are made of the others. Of the registry of tasks it is checked
that it is one, and written as its command does; `python -m benchmarks.tasks` holds it against the tasks.
"""

import shlex
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from absl import flags

from leaderboard.board import claims
from leaderboard.board.board import Board, boards
from leaderboard.command import Command, UsageError, call, complain
from leaderboard.inputs import define_results, read_boards
from leaderboard.record import registry
from leaderboard.record.atomic import write_atomically
from leaderboard.record.files import read_all
from leaderboard.record.layout import PROTOCOL1
from leaderboard.record.registry import TASKS
from leaderboard.render import pages, readme
from leaderboard.site import page

ROOT = Path(__file__).parents[1]
OUT, README = ROOT / "leaderboard" / "README.md", ROOT / "README.md"


def main(argv: Sequence[str]) -> int:
    """Returns the exit code: 0 done, 1 a page is not up to date, 2 a flag, record or marker is wrong."""
    return call(partial(_build, argv), _command(), argv)


def _command() -> Command:
    values = flags.FlagValues()
    define_results(values)
    page = "Page; the site goes beside it. With the default, README.md and the page of protocol 1 are made, too."
    flags.DEFINE_string("out", str(OUT), page, flag_values=values)
    flags.DEFINE_bool("check", False, "Write nothing; exit code 1 if a page is not up to date.", flag_values=values)
    return Command(__doc__, values, mistakes=(claims.ClaimError,))


def _build(argv: Sequence[str], values: flags.FlagValues) -> int:
    out = Path(values.out)
    if out.exists() and not out.is_file():
        raise UsageError(f"--out={out}: is a folder or a device, it must be a file; a site is written beside it")
    found, refused = read_boards(values)
    made = _pages(found, out)
    if out == OUT and TASKS.exists():
        made[TASKS] = registry.text(registry.read(TASKS))
    if out == OUT and PROTOCOL1.is_dir():
        older, wrong = read_all(PROTOCOL1)
        made[PROTOCOL1 / "README.md"] = pages.protocol1(boards(older))
        refused += wrong
    done = _check(made, argv) if values.check else _write(made)
    return complain(refused) or done


def _pages(found: list[Board], out: Path) -> dict[Path, str]:
    """What each page should be. README.md is the project's: records written elsewhere do not go into it."""
    site = out.parent / "site" / "index.html"
    made = {out: pages.markdown(found, claims.statuses(claims.read(), found)), site: page.build(found)}
    if out == OUT and README.exists():
        try:
            made[README] = readme.splice(README.read_bytes().decode(), readme.block(found))
        except ValueError as error:
            raise UsageError(f"{README}: {error}") from None
    return made


def _check(pages, argv) -> int:
    drifted = [path for path, text in pages.items() if not _same(path, text)]
    command = shlex.join(["python", "-m", "leaderboard.build", *(flag for flag in argv if flag != "--check")])
    for path in drifted:
        print(f"{path} differs from the records; mend it: {command}", file=sys.stderr)
    return 1 if drifted else 0


def _same(path, text) -> bool:
    """Of the site, what its blocks hold is compared: zlib may pack the same otherwise elsewhere."""
    if not path.exists():
        return False
    found = path.read_bytes()
    return found == text.encode() or page.unpacked(found.decode(errors="replace")) == page.unpacked(text)


def _write(pages) -> int:
    for path, text in pages.items():
        write_atomically(path, text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
