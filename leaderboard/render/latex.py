"""The board as LaTeX tables, for papers."""

from leaderboard.board.board import Board
from leaderboard.record.text import plain
from leaderboard.render.columns import NARROW, grid
from leaderboard.render.facts import division_facts

LATEX = {
    **{c: f"\\{c}" for c in "{}$&#_%"},
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "|": r"\textbar{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "-": "{-}",
    "●": r"$\bullet$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "−": "$-$",
    "–": "--",
    "†": r"$\dagger$",
    "‡": r"$\ddagger$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
}
"""How a character is written where LaTeX gives it a meaning, alone or beside another, or does not know it."""


def as_latex(boards: list[Board]) -> str:
    """Returns a table per task and division, in the style of the package booktabs."""
    return "\n".join(_latex_table(board.task, division) for board in boards for division in board.divisions)


def _latex_table(task, division) -> str:
    header, *rows = grid(task, division, NARROW)
    shape = "".join("l" if title in ("", "method", "strength") else "r" for title in header)
    head, *body = [" & ".join(map(latex, row)) + r" \\" for row in (header, *rows)]
    facts = [f"{task.name}, {division.name} division", task.metric, *division_facts(task, division)]
    lines = [r"\begin{table}", r"\centering", rf"\caption{{{latex('; '.join(facts))}}}"]
    lines += [rf"\begin{{tabular}}{{{shape}}}", r"\toprule", head, r"\midrule", *body, r"\bottomrule"]
    return "\n".join([*lines, r"\end{tabular}", r"\end{table}", ""])


def latex(text: str) -> str:
    """Returns `text` such that LaTeX shows it literally; a character that plain LaTeX may not know becomes "?"."""
    return "".join(LATEX.get(c, c if c.isascii() else "?") for c in plain(text))
