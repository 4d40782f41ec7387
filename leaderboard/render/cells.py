"""The cells of a table that are more than a number with its unit."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from leaderboard.board import display, rows
from leaderboard.board.comparisons import beats, within
from leaderboard.board.rows import Comparison, Figures, Row, Timing, name
from leaderboard.record.schema import TaskInfo
from leaderboard.stats.paired import GIVEN_EXAMPLES, GIVEN_SEED
from leaderboard.stats.significance import RISK

Cell = Callable[["Entry"], str]
UNCONTROLLED = "no control of that size"
MARKS = {GIVEN_SEED: " †", GIVEN_EXAMPLES: " ‡"}
"""Behind a p that holds for one seed's nets, or for these test examples alone."""


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
    """Returns "1–3 at 6.7 kB, 2–5 at 16 kB": its ranks under the budgets at which its method offers it."""
    places = [f"{display.ranks(place.rank)} at {display.si(place.budget, 'B')}" for place in entry.row.places]
    return f"{', '.join(places)}{single(entry.row)}" if places else display.MISSING


def single(row: Row) -> str:
    """Returns " †" where a single seed finished, whose nets alone are judged."""
    return " †" if row.finished == 1 else ""


def quality(entry: Entry) -> str:
    """Returns the mean, or why there is none."""
    figures = entry.row.figures
    return display.fixed(figures.quality.mean) if figures else entry.row.missing


def seeds(entry: Entry) -> str:
    """Returns "3", "2/3" of which one failed, "1 †"."""
    row = entry.row
    count = str(row.asked) if row.finished == row.asked else f"{row.finished}/{row.asked}"
    return f"{count}{single(row)}"


def p(entry: Entry, kind: str) -> str:
    """Returns the p of a comparison, "" where there is none. `kind`: "dense", "reference" or "control"."""
    found = entry.row.comparisons.get(kind)
    return p_text(found) if found else ""


def p_text(comparison: Comparison) -> str:
    """Returns "p 0.02": also the corrected p where that is no longer told apart; marked where it is about less."""
    p, corrected = comparison.found.p, comparison.corrected
    doubt = f" ({corrected:.2g} corrected)" if p < RISK <= corrected else ""
    return f"{display.p_value(p)}{MARKS.get(comparison.found.about, '')}{doubt}"


def interval(entry: Entry, kind: str) -> str:
    """Returns the interval of a comparison, "" where there is none. `kind`: "dense", "reference" or "control"."""
    found = entry.row.comparisons.get(kind)
    return display.ends(found.found.low, found.found.high, signed=True) if found else ""


def difference(entry: Entry, kind: str) -> float | None:
    """Returns the mean difference of a comparison. `kind`: "dense", "reference" or "control"."""
    found = entry.row.comparisons.get(kind)
    return found.found.difference if found else None


def dense_note(entry: Entry) -> str:
    """Returns interval and p of the comparison with dense, and whether no more than the margin is lost."""
    verdict = "within margin" if close(entry) else ""
    return ", ".join(filter(None, (interval(entry, "dense"), p(entry, "dense"), verdict)))


def against_dense(entry: Entry) -> str:
    """Returns the difference, its interval and p, and whether no more than the margin is lost."""
    figures = entry.row.figures
    text = display.MISSING if figures is None else display.shown(figures.quality.mean - figures.dense, "difference")
    return f"{text}{'' if interval(entry, 'dense') else ','} {dense_note(entry)}".rstrip(" ,")


def close(entry: Entry) -> bool:
    """Returns whether a row loses no more than the task's margin against dense, at 95 % confidence."""
    found, margin = entry.row.comparisons.get("dense"), entry.task.margin
    if found is None or margin is None or not entry.row.whole:
        return False
    return within(found.found, margin, higher_is_better=entry.task.higher_is_better)


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
