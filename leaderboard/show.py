"""`python -m leaderboard.show`: what is best on a task, under so many bytes, so much time or so many MACs.

Without --task: the tasks. The best row is on top; ● is Pareto-optimal in quality and bytes, whatever the budget.
"""

import math
import sys
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from leaderboard.board.board import Board, Division, boards
from leaderboard.command import Command, UsageError, call, complain
from leaderboard.inputs import define_results, define_task, read_boards
from leaderboard.record.atomic import write_atomically
from leaderboard.record.schema import Record
from leaderboard.record.text import plain
from leaderboard.render import budget, pages, terminal
from leaderboard.render.facts import division_facts
from leaderboard.render.terminal import aligned


def main(argv: Sequence[str]) -> int:
    """Returns the exit code: 0 done, 2 a flag or a record is wrong."""
    return call(_show, _command(), argv)


def _command() -> Command:
    values = flags.FlagValues()
    define_results(values)
    define_task(values, "One task; without it, the list of tasks.")
    bounded = "What --under bounds: artifact bytes, latency at batch 1, or MACs by nonzero weights of one example."
    flags.DEFINE_enum("by", "bytes", list(budget.COSTS), bounded, flag_values=values)
    most = "The most it may cost: 20kB (B, kB, MB), 5ms (us, ms, s) or 3M (k, M, G); without it, anything."
    flags.DEFINE_string("under", None, most, flag_values=values)
    return Command(__doc__, values)


def _show(values: flags.FlagValues) -> int:
    if values.under is not None and values.task is None:
        raise UsageError("--under: needs --task")
    under = _amount(values)
    found, refused = read_boards(values)
    print(task_text(found[0], values.by, under) if values.task else tasks_text(found))
    return complain(refused)


def _amount(values: flags.FlagValues) -> float:
    if values.under is None:
        return math.inf
    try:
        return budget.amount(values.under, values.by)
    except ValueError as error:
        raise UsageError(f"--under: {error}") from None


def print_run(records: Sequence[Record], page: Path) -> None:
    """Prints the board of a finished run, and writes it to `page` as Markdown.

    This is how `benchmarks.run` shows its records.
    """
    found = boards(records)
    write_atomically(page, pages.markdown(found, []))
    print(terminal.text(found))


def tasks_text(found: list[Board]) -> str:
    """Returns a line for each task: metric, methods, rows, quality of the dense nets."""
    return "\n".join(aligned([[plain(cell) for cell in _task_cells(board)] for board in found])) or "no records"


def _task_cells(board):
    rows = [row for division in board.divisions for row in division.rows]
    methods = len({row.record.method.name for row in rows})
    better = "higher" if board.task.higher_is_better else "lower"
    nothing = "nothing is ranked" if board.registered else "unregistered, nothing is ranked"
    dense = division_facts(board.task, board.divisions[0])[0] if board.divisions else nothing
    return board.task.name, f"{board.task.metric}, {better} is better", f"{methods} methods, {len(rows)} rows", dense


def task_text(board: Board, by: str, under: float) -> str:
    """Returns the table of each division under a budget.

    Args:
        board: of the task.
        by: what the budget is of, "bytes" say.
        under: the most of it.
    """
    parts = ["\n".join(_division_lines(board, division, by, under)) for division in board.divisions]
    if board.stale:
        parts.append(f"stale, not ranked: {len(board.stale)} records; leaderboard/README.md says why")
    return "\n\n".join(parts)


def _division_lines(board: Board, division: Division, by: str, under: float) -> list[str]:
    task = board.task
    facts = [f"{task.name}, {division.name} division", task.metric, *division_facts(task, division)]
    header, *rows = budget.table(task, division, by, under)
    if not rows:
        return [plain("; ".join(facts)), _nothing(division, by)]
    return [plain("; ".join(facts)), *aligned([[plain(cell) for cell in row] for row in (header, *rows)])]


def _nothing(division, by):
    costs = [row.figures for row in division.rows if row.figures]
    if not costs:
        return "no run finished"
    return f"nothing is under this; the least is {budget.shown(min(costs, key=budget.COSTS[by]), by)}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
