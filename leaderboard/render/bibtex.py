"""The papers of the methods on the board, as BibTeX."""

import re
from pathlib import Path

from leaderboard.board.board import Board

PAPERS = Path(__file__).with_name("papers.bib")


def as_bibtex(boards: list[Board]) -> str:
    """slimbench and the papers of the methods on the boards; of a method that names none, a comment says so."""
    methods = {row.record.method.name for board in boards for d in board.divisions for row in d.rows}
    entries = papers()
    found = [text for keywords, text in entries if keywords & (methods | {"slimbench"})]
    without = sorted(methods - set().union(*(keywords for keywords, _ in entries)))
    comment = [f"% No paper is known for: {', '.join(without)}\n"] if without else []
    return "\n".join(comment + found)


def papers() -> list[tuple[set[str], str]]:
    """(methods, entry) of each entry of papers.bib."""
    entries = re.findall(r"^@.*?^}\n", PAPERS.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [(set(re.search(r"keywords = \{(.*)\}", entry)[1].split(", ")), entry) for entry in entries]
