"""What a plot shows: the axes of cost, and how much of the quality is in sight."""

from collections.abc import Sequence
from statistics import median_high
from typing import NamedTuple

from leaderboard.board.board import Division
from leaderboard.board.rows import Figures
from leaderboard.record.schema import TaskInfo
from leaderboard.render.columns import COST

MARGINS = 5
"""What is near dense: so many of the task's margins below it, and a third of that above."""


class Axis(NamedTuple):
    """A column of COST as a logarithmic axis."""

    column: str
    title: str  # may hold {batch}, the task's
    format: str  # of Vega
    least: float = 0.0  # what costs less is drawn here, as a log axis has no zero

    def of(self, figures: Figures) -> float:
        """Returns where a row stands on the axis."""
        return max(COST[self.column](figures), self.least)


AXES = {
    axis.column: axis
    for axis in (
        Axis("bytes", "artifact, bytes", "~s"),
        Axis("macs", "effective MACs of one example", "~s"),
        Axis("bops", "bit operations of one example", "~s"),
        Axis("latency_1", "median latency at batch 1, ms", "~g"),
        Axis("latency", "median latency at batch {batch}, ms", "~g"),
        Axis("cost", "seconds of optimizing", "~g", least=0.01),
    )
}


def quality_title(task: TaskInfo) -> str:
    """Returns the title of the axis of quality."""
    return f"{task.metric}, {'higher' if task.higher_is_better else 'lower'} is better"


def in_sight(task: TaskInfo, division: Division) -> tuple[float, float]:
    """Returns the qualities that a plot shows, as low and high ends.

    They hold every mean, and as much around them as the middle one of the intervals needs: no wide one makes all else
    small.
    """
    dense, known = division.level.mean, [row.figures.quality for row in division.rows if row.figures]
    means = [dense, *(quality.mean for quality in known)]
    spans = [_span(quality) for quality in known]
    halves = [(high - low) / 2 for low, high in spans] or [0.0]
    room = max((max(means) - min(means)) / 4, median_high(halves))
    low = max(min(means) - room, min([*means, *(low for low, _ in spans)]))
    high = min(max(means) + room, max([*means, *(high for _, high in spans)]))
    return _possible(task, low, high)


def near_dense(task: TaskInfo, division: Division) -> tuple[float, float]:
    """Returns the qualities that a plot of what is about as good as dense shows, as low and high ends."""
    if task.margin is None:
        return in_sight(task, division)
    dense, width = division.level.mean, MARGINS * task.margin
    worse, better = (width, width / 3) if task.higher_is_better else (width / 3, width)
    return _possible(task, dense - worse, dense + better)


def _span(quality) -> Sequence[float]:
    return (quality.mean, quality.mean) if quality.low is None else (quality.low, quality.high)


def _possible(task: TaskInfo, low: float, high: float) -> tuple[float, float]:
    """No quality is below 0, and none of right and wrong above 1."""
    return max(low, 0.0), min(high, 1.0) if task.outcome == "correct" else high
