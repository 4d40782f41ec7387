"""`python -m leaderboard.build`: writes the board's pages from the records, or checks that they are up to date.

A record that is refused is one line on stderr; the pages are made of the others.
"""

import shlex
import sys
from pathlib import Path

from leaderboard.board import board, claims
from leaderboard.cli import ROOT, Parser, UsageError, call, complain
from leaderboard.record.atomic import write_atomically
from leaderboard.record.files import read_all
from leaderboard.render import pages, readme
from leaderboard.site import page

OUT, README = ROOT / "leaderboard" / "README.md", ROOT / "README.md"


def main(argv: list[str]) -> int:
    """Exit code: 0 done, 1 a page has drifted, 2 a flag, record or marker is wrong."""
    return call(lambda args: _build(args, argv), _parser(), argv)


def _build(args, argv) -> int:
    if args.out.exists() and not args.out.is_file():
        raise UsageError(f"--out={args.out}: is a folder or a device, it must be a file; a site is written beside it")
    records, refused = read_all(args.results)
    pages = _pages(board.boards(records), args.out)
    done = _check(pages, argv) if args.check else _write(pages)
    return complain(refused) or done


def _parser():
    parser = Parser("build", __doc__)
    parser.add_results()
    parser.add_argument(
        "--out",
        type=Path,
        default=OUT,
        help="page, default %(default)s; the site goes beside it; with the default the table in README.md is made, too",
    )
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if a page is not up to date")
    return parser


def _pages(boards, out) -> dict[Path, str]:
    """What each page should be. README.md is the project's: records written elsewhere do not go into it."""
    site = out.parent / "site" / "index.html"
    made = {out: pages.markdown(boards, claims.statuses(claims.read(), boards)), site: page.build(boards)}
    if out == OUT and README.exists():
        try:
            made[README] = readme.splice(README.read_bytes().decode(), readme.block(boards))
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
