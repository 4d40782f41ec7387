"""The board of some records as its page and its text, and the rows of the page, read back."""

from markdown_it import MarkdownIt

from leaderboard.board.board import boards
from leaderboard.render import pages, terminal


def page_markdown(records):
    return pages.markdown(boards(records), [])


def page_text(records):
    return terminal.text(boards(records))


def cells(page, method):
    """The cells of each table row of `method`, by header, read by an independent Markdown parser."""
    tokens = iter(MarkdownIt("gfm-like", {"linkify": False}).parse(page))
    header, rows, row = [], [], []
    for token in tokens:
        if token.type in ("th_open", "td_open"):
            row.append("".join(child.content for child in next(tokens).children))
        elif token.type == "tr_close":
            header, rows, row = (
                (row, rows, [])
                if "method" in row or "score over bytes" in row
                else (header, [*rows, (header, row)], [])
            )
    return [dict(zip(head, r, strict=True)) for head, r in rows if head[2] == "method" and r[2] == method]
