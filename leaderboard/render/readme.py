"""The board in one short table: the smallest artifact of each method that is about as good as its reference."""

from leaderboard.board import display
from leaderboard.board.board import Board, Division, compared
from leaderboard.board.rows import REFERENCES, strength
from leaderboard.record.schema import TaskInfo
from leaderboard.render.cells import Entry, close, single
from leaderboard.render.pages import escaped
from leaderboard.stats.summary import mean

BEGIN, END = "<!-- board:begin -->", "<!-- board:end -->"
NOTE = (
    "The smallest artifact of each method that is not worse than dense by more than the task's margin: the one-sided "
    "95 % bound of its difference, over seeds and test examples, lies within it. Size, dense size / size, stored bits "
    "of a weight (strength). – where none is that good. † a single seed, whose nets alone are judged. "
    "Closed division only, tasks with other methods than these; [all of it](leaderboard/README.md), with intervals."
)


def block(boards: list[Board]) -> str:
    """Returns Markdown: a row per method, a column per task with one that compresses, closed division only."""
    columns = compared(boards)
    if not columns:
        return "No method has records in the closed division yet."
    methods = set().union(*(_methods(division) for _, division in columns)) - {*REFERENCES}
    header = ["method", *(_title(board.task) for board, _ in columns)]
    rows = [[name, *(_reference(board.task, division, name) for board, division in columns)] for name in REFERENCES]
    rows += [[n, *(_best(board, division, n) for board, division in columns)] for n in sorted(methods)]
    table = [[escaped(cell) for cell in row] for row in (header, *rows)]
    table.insert(1, ["---"] * len(header))
    return "\n".join([*(f"| {' | '.join(row)} |" for row in table), "", NOTE])


def _methods(division: Division) -> set[str]:
    return {row.record.method.name for row in division.rows}


def _title(task: TaskInfo) -> str:
    margin = "" if task.margin is None else f", margin {display.number(task.margin)}"
    return f"{task.name} ({task.metric}{margin})"


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


def _reference(task: TaskInfo, division: Division, method: str) -> str:
    """The cell of a reference: empty if it did not run."""
    if method == "dense":
        return f"{display.spread(division.level)}, {display.si(mean([net.bytes for net in division.dense]), 'B')}"
    known = [row.figures for row in division.rows if row.record.method.name == method and row.whole and row.figures]
    sign = 1 if task.higher_is_better else -1
    found = max(known, key=lambda figures: sign * figures.valid, default=None)
    return f"{display.spread(found.quality)}, {display.si(found.bytes, 'B')}" if found else ""


def _best(board: Board, division: Division, method: str) -> str:
    """The cell of a method: empty if it did not run."""
    rows = [row for row in division.rows if row.record.method.name == method]
    good = [(row.figures, row) for row in rows if row.figures is not None and close(Entry(board.task, row))]
    if not good:
        return display.MISSING if rows else ""
    figures, row = min(good, key=lambda pair: pair[0].bytes)
    size, ratio = display.si(figures.bytes, "B"), display.number(figures.ratio)
    bits = "" if figures.weight_bits is None else f", {display.number(figures.weight_bits)} bits"
    return f"{size}, ×{ratio}{bits} ({strength(row)}){single(row)}"
