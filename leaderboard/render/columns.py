"""The columns of a table: what each shows of a row."""

from collections.abc import Callable

from leaderboard.board import display
from leaderboard.board.board import Division
from leaderboard.board.comparisons import beats
from leaderboard.board.rows import Row, strength
from leaderboard.record.schema import TaskInfo

Cell = Callable[[Row, bool], str]
NARROW = ("", "method", "strength", "quality", "against dense", "bytes", "ratio", "run as", "n")
"""The columns that a terminal has room for, and the latency at the task's batch."""


def grid(task: TaskInfo, division: Division) -> list[list[str]]:
    """Header and rows, unescaped."""
    columns = _columns(task, division)
    rows = zip(division.rows, division.optimal, strict=True)
    return [list(columns)] + [[cell(row, optimal) for cell in columns.values()] for row, optimal in rows]


def _columns(task: TaskInfo, division: Division) -> dict[str, Cell]:
    """Header -> cell of (row, whether it is optimal)."""

    def figure(show):
        return lambda row, _: display.MISSING if row.figures is None else show(row.figures)

    def latency(name):
        def show(row, _):
            timing = row.figures and getattr(row.figures.latency, name)
            return display.MISSING if timing is None else _latency(timing) + device(row)

        return show

    def device(row):
        numbers = [str(division.devices.index(name) + 1) for name in row.devices]
        return f" [{', '.join(numbers)}]" if len(division.devices) > 1 else ""

    return {
        "": lambda row, optimal: "●" if optimal else "",
        "rank": lambda row, _: _rank(row),
        "method": lambda row, _: row.label,
        "strength": lambda row, _: strength(row),
        "quality": lambda row, _: display.spread(row.figures.quality) if row.figures else row.missing,
        "against dense": lambda row, _: _against_dense(row),
        "against control": lambda row, _: _against_control(row, task),
        "bytes": figure(lambda f: display.si(f.bytes, "B")),
        "ratio": figure(lambda f: f"×{display.number(f.ratio)}"),
        "MACs": figure(_macs),
        "BOPs": figure(lambda f: display.si(f.bops)),
        "latency, batch 1": latency("one"),
        f"latency, batch {task.eval_batch}": latency("batch"),
        "run as": figure(lambda f: f.execution),
        "cost": figure(_cost),
        "n": lambda row, _: _seeds(row),
    }


def _rank(row):
    """ "2"; "1–9, tie 1" """
    if row.rank is None:
        return display.MISSING
    first, last = row.rank
    return str(first) if first == last else f"{first}–{last}, tie {row.tie}"


def _against_dense(row):
    """Difference with its interval over seeds, and the p of the comparison."""
    if row.figures is None:
        return display.MISSING
    found = row.comparisons.get("dense")
    return display.spread(row.figures.difference, signed=True) + (f", {display.p_value(found.p)}" if found else "")


def _against_control(row, task):
    found = row.comparisons.get("control")
    if found is None:
        return display.MISSING
    verdict = "" if beats(found, higher_is_better=task.higher_is_better) else "not beaten: "
    return f"{verdict}{display.fixed(found.difference, signed=True)}, {display.p_value(found.p)}"


def _macs(figures):
    total, effective = display.si(figures.macs), display.si(figures.effective_macs)
    return total if total == effective else f"{effective} of {total}"


def _latency(timing):
    return f"{display.number(timing.median_ms)} ms ×{timing.speedup:.2f}"


def _cost(figures):
    teacher = f", {display.si(figures.teacher_forwards)} teacher" if figures.teacher_forwards else ""
    return f"{display.number(round(figures.seconds, 2))} s, {figures.steps:.0f} steps{teacher}"


def _seeds(row):
    count = str(row.asked) if row.finished == row.asked else f"{row.finished}/{row.asked}"
    return f"{count} †" if row.finished == 1 else count
