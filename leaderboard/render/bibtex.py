"""The papers of the methods on the board, as BibTeX."""

import re
from pathlib import Path

from leaderboard.board.board import Board

PAPERS = Path(__file__).with_name("papers.bib")


def as_bibtex(boards: list[Board]) -> str:
    """Returns the papers of slimbench and of the methods on the boards; a comment names methods without a paper."""
    methods = {row.record.method.name for board in boards for d in board.divisions for row in d.rows}
    entries = papers()
    found = [text for keywords, text in entries if keywords & (methods | {"slimbench"})]
    without = sorted(methods - set().union(*(keywords for keywords, _ in entries)))
    comment = [f"% No paper is known for: {', '.join(without)}\n"] if without else []
    return "\n".join(comment + found)


def papers() -> list[tuple[set[str], str]]:
    """Returns (methods, entry) for each entry of papers.bib."""
    text = PAPERS.read_text("utf-8")
    entries = re.finditer(r"^@.*?keywords = \{(.*?)\}.*?^}\n", text, re.DOTALL | re.MULTILINE)
    return [(set(entry[1].split(", ")), entry[0]) for entry in entries]
