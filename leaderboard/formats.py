"""The board for other programs: CSV for spreadsheets and scripts, LaTeX and BibTeX for papers."""

import csv
import io
import re
from pathlib import Path

from leaderboard import cells
from leaderboard.board import Board
from leaderboard.columns import grid
from leaderboard.rows import commits
from leaderboard.table import NARROW, division_facts

PAPERS = Path(__file__).with_name("papers.bib")
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
    "≥": r"$\geq$",
    "≤": r"$\leq$",
}
"""How a character is written where LaTeX gives it a meaning, alone or beside another, or does not know it."""


def as_csv(boards: list[Board]) -> str:
    """A line per ranked row, raw numbers, units in the header; empty where every seed failed."""
    rows = [
        _identity(board, division, row, optimal) | _numbers(row.figures)
        for board in boards
        for division in board.divisions
        for row, optimal in zip(division.rows, division.optimal, strict=True)
    ]
    file, header = io.StringIO(), list(max(rows, key=len, default={}))
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_csv_cell(row.get(name)) for name in header] for row in rows)
    return file.getvalue()


def _identity(board, division, row, optimal) -> dict:
    record = row.record
    return {
        "task": record.task.name,
        "task_version": record.task.version,
        "metric": record.task.metric,
        "higher_is_better": board.task.higher_is_better,
        "division": division.name,
        "family": record.method.family,
        "method": record.method.name,
        "digest": record.method.digest,
        "knob": ", ".join(record.method.knobs),
        "strength": row.strength,
        "device": "; ".join(row.devices),
        "commits": "; ".join(commits(record)),
        "seeds_asked": row.asked,
        "seeds_finished": row.finished,
        "pareto_optimal": optimal,
    }


def _numbers(figures) -> dict:
    if figures is None:
        return {}
    summaries = {name: getattr(figures, name)._asdict() for name in ("quality", "dense", "difference")}
    names = {"quality": "quality", "dense": "dense_quality", "difference": "quality_difference"}
    one, batch = figures.latency.one, figures.latency.batch
    return {
        **{f"{names[s]}_{key}": v for s, fields in summaries.items() for key, v in fields.items() if key != "n"},
        "artifact_bytes": figures.bytes,
        "ratio": figures.ratio,
        "macs": figures.macs,
        "effective_macs": figures.effective_macs,
        "bops": figures.bops,
        "execution": figures.execution,
        "latency_batch_1_ms": one.median_ms,
        "speedup_batch_1": one.speedup,
        "task_batch": batch.batch,
        "latency_task_batch_ms": batch.median_ms,
        "speedup_task_batch": batch.speedup,
        "optimization_s": figures.seconds,
        "steps": figures.steps,
        "teacher_forwards_examples": figures.teacher_forwards,
    }


def _csv_cell(value) -> str:
    if isinstance(value, str):
        text = cells.plain(value)
        return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text  # else a spreadsheet runs it
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).lower()
    return f"{value:.12g}"


def as_latex(boards: list[Board]) -> str:
    """A table per task and division, of the package booktabs."""
    return "\n".join(_latex_table(board.task, division) for board in boards for division in board.divisions)


def _latex_table(task, division) -> str:
    header, *rows = grid(task, division)
    kept = [i for i, name in enumerate(header) if name in NARROW]
    shape = "".join("l" if header[i] in ("", "method", "strength") else "r" for i in kept)
    head, *body = [" & ".join(latex(row[i]) for i in kept) + r" \\" for row in (header, *rows)]
    facts = [f"{task.name}, {division.name} division", task.metric, *division_facts(task, division)]
    lines = [r"\begin{table}", r"\centering", rf"\caption{{{latex('; '.join(facts))}}}"]
    lines += [rf"\begin{{tabular}}{{{shape}}}", r"\toprule", head, r"\midrule", *body, r"\bottomrule"]
    return "\n".join([*lines, r"\end{tabular}", r"\end{table}", ""])


def latex(text: str) -> str:
    """`text` such that LaTeX shows it literally; a character that plain LaTeX may not know becomes "?"."""
    return "".join(LATEX.get(c, c if c.isascii() else "?") for c in cells.plain(text))


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
