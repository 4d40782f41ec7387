"""The board in one short table: the smallest artifact of each method that is about as good as dense."""

from leaderboard.board import display
from leaderboard.board.board import Board, Division, compared
from leaderboard.board.rows import Figures, strength
from leaderboard.record.schema import TaskInfo
from leaderboard.render.pages import escaped
from leaderboard.stats.summary import summarize

BEGIN, END = "<!-- board:begin -->", "<!-- board:end -->"
POINT = 0.01
"""What accuracy may lose, absolute."""
SHARE = 0.02
"""What any other metric may lose, relative to dense."""
NOTE = (
    "The smallest artifact of each method whose quality, mean over seeds, is within 1 point of dense accuracy or 2 % "
    "of another metric: size, dense size / size (strength). – where none is that good. Closed division only, tasks "
    "with a method besides dense; [all of it](leaderboard/README.md), with intervals."
)


def block(boards: list[Board]) -> str:
    """Returns Markdown: a row per method, a column per task with one besides dense, closed division only."""
    columns = compared(boards)
    if not columns:
        return "No method has records in the closed division yet."
    methods = sorted({row.record.method.name for _, division in columns for row in division.rows} - {"dense"})
    header = ["method", *(f"{board.task.name} ({board.task.metric})" for board, _ in columns)]
    dense = ["dense", *(_dense(division) for _, division in columns)]
    rows = [[name, *(_best(board, division, name) for board, division in columns)] for name in methods]
    table = [[escaped(cell) for cell in row] for row in (header, dense, *rows)]
    table.insert(1, ["---"] * len(header))
    return "\n".join([*(f"| {' | '.join(row)} |" for row in table), "", NOTE])


def splice(page: str, text: str) -> str:
    """Returns `page` with `text` between its markers, or as it is if it has none.

    Raises ValueError if the markers do not pair.
    """
    if BEGIN not in page and END not in page:
        return page
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise ValueError(f"must hold {BEGIN} once and after it {END} once")
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}"


def _dense(division: Division) -> str:
    quality = summarize([net.quality for net in division.dense])
    return f"{display.spread(quality)}, {display.si(summarize([net.bytes for net in division.dense]).mean, 'B')}"


def _best(board: Board, division: Division, method: str) -> str:
    """The cell of a method: empty if it did not run."""
    rows = [row for row in division.rows if row.record.method.name == method]
    known = [(row.figures, row) for row in rows if row.whole and row.figures is not None]
    good = [(figures, row) for figures, row in known if close(board.task, figures)]
    if not good:
        return display.MISSING if rows else ""
    figures, row = min(good, key=lambda pair: pair[0].bytes)
    size, ratio = display.si(figures.bytes, "B"), display.number(figures.ratio)
    return f"{size}, ×{ratio} ({strength(row)})"


def close(task: TaskInfo, figures: Figures) -> bool:
    """Returns whether at most POINT of accuracy, or at most SHARE of another metric, is lost against dense."""
    loss = figures.difference.mean * (-1 if task.higher_is_better else 1)
    allowed = POINT if task.outcome == "correct" else SHARE * abs(figures.dense.mean)
    return loss <= allowed + 1e-9
