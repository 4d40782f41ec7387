"""The cells of a table that are more than a number with its unit."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from leaderboard.board import display, rows
from leaderboard.board.comparisons import beats
from leaderboard.board.rows import Figures, Row, Timing, name
from leaderboard.record.schema import TaskInfo

Cell = Callable[["Entry"], str]
UNCONTROLLED = "no control of that size"


class Entry(NamedTuple):
    """A row of a table, with what surrounds it."""

    task: TaskInfo
    row: Row
    optimal: bool = False
    devices: Sequence[str] = ()  # of its table


def nothing(entry: Entry) -> str:
    """Returns ""."""
    return ""


def figure(text: Callable[[Figures], str], missing: str = display.MISSING) -> Cell:
    """Returns a cell made of the figures of a row; `missing` stands where no seed finished."""
    return lambda entry: missing if entry.row.figures is None else text(entry.row.figures)


def rank(entry: Entry) -> str:
    """Returns "2", or "1–9" of a row that may have any of these ranks."""
    if entry.row.rank is None:
        return display.MISSING
    first, last = entry.row.rank
    return str(first) if first == last else f"{first}–{last}"


def rank_and_tie(entry: Entry) -> str:
    """Returns "2" or "1–9, tie 1"."""
    row = entry.row
    return f"{rank(entry)}, tie {row.tie}" if row.rank and row.rank[0] != row.rank[1] else rank(entry)


def quality(entry: Entry) -> str:
    """Returns the mean, or why there is none."""
    figures = entry.row.figures
    return display.fixed(figures.quality.mean) if figures else entry.row.missing


def seeds(entry: Entry) -> str:
    """Returns "3", "2/3" of which one failed, "1 †"."""
    row = entry.row
    count = str(row.asked) if row.finished == row.asked else f"{row.finished}/{row.asked}"
    return f"{count} †" if row.finished == 1 else count


def p(entry: Entry, kind: str) -> str:
    """Returns the p of a comparison, "" where there is none. `kind`: "dense", "reference", "control" or "best"."""
    found = entry.row.comparisons.get(kind)
    return display.p_value(found.p) if found else ""


def difference(entry: Entry, kind: str) -> float | None:
    """Returns the mean difference of a comparison. `kind`: "dense", "reference", "control" or "best"."""
    found = entry.row.comparisons.get(kind)
    return found.difference if found else None


def against_dense(entry: Entry) -> str:
    """Returns the difference with its interval over seeds, and the p of the comparison."""
    if entry.row.figures is None:
        return display.MISSING
    return ", ".join(filter(None, (display.spread(entry.row.figures.difference, signed=True), p(entry, "dense"))))


def beaten(entry: Entry) -> bool | None:
    """Returns whether the row beats its control; None where it has none."""
    control = entry.row.comparisons.get("control")
    return beats(control, higher_is_better=entry.task.higher_is_better) if control else None


def against_reference(entry: Entry) -> str:
    """Returns the difference to the reference and the p of the comparison."""
    text = display.shown(rows.against_reference(entry.row), "difference")
    return ", ".join(filter(None, (text, p(entry, "reference"))))


def against_control(entry: Entry) -> str:
    """Returns the difference and its p, whether the control is not beaten, and which row of it was met."""
    if entry.row.uncontrolled:
        return UNCONTROLLED
    verdict = "not beaten: " if beaten(entry) is False else ""
    text = display.shown(difference(entry, "control"), "difference")
    return ", ".join(filter(None, (verdict + text, p(entry, "control"), _met(entry))))


def control_note(entry: Entry) -> str:
    """Returns whether the control is not beaten, the p, and which row of it was met."""
    if entry.row.uncontrolled:
        return UNCONTROLLED
    verdict = "does not beat it" if beaten(entry) is False else ""
    return ", ".join(filter(None, (verdict, p(entry, "control"), _met(entry))))


def _met(entry: Entry) -> str:
    """The row of the control that is compared, and its size."""
    found = entry.row.comparisons.get("control")
    other = found and found.other
    if other is None or other.figures is None:
        return ""
    return f"{name(other)} at {display.si(other.figures.bytes, 'B')}"


def of_macs(figures: Figures) -> str:
    """Returns "of 1.23 M" where not all of them are effective."""
    total, effective = display.si(figures.macs), display.si(figures.effective_macs)
    return f"of {total}" if total != effective else ""


def steps(figures: Figures) -> str:
    """Returns "300 steps", how many of them are tuning, and the examples that a teacher saw."""
    tuning = f", {figures.tuning_steps:.0f} of them tuning" if figures.tuning_steps else ""
    teacher = f", {display.si(figures.teacher_forwards)} teacher" if figures.teacher_forwards else ""
    return f"{figures.steps:.0f} steps{tuning}{teacher}"


def speedup(timing: Timing) -> str:
    """Returns "×1.80 [1.74, 1.85]", the quartiles where they are known."""
    ends = display.ends(timing.low, timing.high, digits=2)
    return f"{display.shown(timing.speedup, 'speedup')} {ends}".rstrip()


def device(entry: Entry) -> str:
    """Returns the numbers of the devices that timed the row, " [1, 2]", where its table has several."""
    numbers = [str(entry.devices.index(name) + 1) for name in entry.row.devices]
    return f" [{', '.join(numbers)}]" if len(entry.devices) > 1 else ""
