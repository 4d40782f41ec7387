"""The trade-off plot of a division, in Vega-Lite, for papers.

The specification, the colours and what is drawn are the site's; see `leaderboard/site/source/tradeoff.json`.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from statistics import median_high
from typing import Any, NamedTuple

from leaderboard.board.board import Board, Division
from leaderboard.board.rows import Figures, Row
from leaderboard.stats.pareto import pareto
from leaderboard.stats.summary import summarize

SOURCE = Path(__file__).parents[1] / "site" / "source"
"""What the site draws from."""
WIDTH, HEIGHT = 560, 360
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-right", "triangle-left")
CONFIG = {"view": {"stroke": None}, "axis": {"titleFontWeight": "normal"}}
LEAST = 0.01
"""Seconds: cheaper methods are drawn here, as a log axis has no zero."""


class Axis(NamedTuple):
    title: str
    format: str
    of: Callable[[Figures], float]


AXES = {
    "bytes": Axis("artifact, bytes", "~s", lambda f: f.bytes),
    "macs": Axis("effective MACs of one example", "~s", lambda f: f.effective_macs),
    "bops": Axis("bit operations of one example", "~s", lambda f: f.bops),
    "latency": Axis("median latency at the task's batch, ms", "~g", lambda f: f.latency.batch.median_ms),
    "cost": Axis("seconds of optimizing", "~g", lambda f: max(f.seconds, LEAST)),
}


def spec(board: Board, division: Division, axis: Axis) -> dict[str, Any]:
    """The plot of a division in Vega-Lite."""
    filled = json.loads((SOURCE / "tradeoff.json").read_text("utf-8"))
    rows = [row for row in division.rows if row.figures]
    points = [_point(row, row.figures, axis) for row in rows if row.figures is not None]
    left, right = min(p["x"] for p in points), max(p["x"] for p in points)
    dense = summarize([net.quality for net in division.dense]).mean
    front = _front(rows, axis, board.task.higher_is_better)
    filled |= {"width": WIDTH, "height": HEIGHT, "background": "white", "config": CONFIG}
    filled["datasets"] = {
        "points": points,
        "front": [*front, {"x": right, "y": front[-1]["y"]}] if front else [],
        "dense": [{"x": left, "y": dense}, {"x": right, "y": dense}],
        "limit": [],
    }
    better = "higher" if board.task.higher_is_better else "lower"
    encoding = filled["encoding"]
    encoding["x"]["axis"] |= {"title": axis.title, "format": axis.format}
    del encoding["x"]["axis"]["values"]
    encoding["y"]["scale"] |= _in_sight(points, dense, board.task)
    encoding["y"]["axis"]["title"] = f"{board.task.metric}, {better} is better"
    _scales(encoding["color"], filled["layer"][-1]["encoding"]["shape"], rows)
    return filled


def _point(row: Row, figures: Figures, axis: Axis) -> dict[str, Any]:
    low, high = figures.quality.low, figures.quality.high
    info = row.record.method
    place = {"x": axis.of(figures), "y": figures.quality.mean, "low": low, "high": high}
    return place | {"record": f"{info.name}-{info.digest}", "method": info.name, "opacity": 1, "line": 0.45}


def _in_sight(points, dense, task):
    """Every mean, and as much around them as the middle one of the intervals needs; no wide one makes all else small.

    Of qualities that there are: none is below 0, and none of right and wrong above 1.
    """
    means = [dense, *(p["y"] for p in points)]
    spans = [(p["y"], p["y"]) if p["low"] is None else (p["low"], p["high"]) for p in points]
    room = max((max(means) - min(means)) / 4, median_high((high - low) / 2 for low, high in spans))
    low = max(min(means) - room, min([*means, *(low for low, _ in spans)]), 0)
    high = min(max(means) + room, max([*means, *(high for _, high in spans)]))
    high = min(high, 1) if task.outcome == "correct" else high
    return {"domain": [low, high]} if low < high else {}


def _front(rows, axis, higher_is_better):
    whole = [(axis.of(row.figures), row.figures.quality.mean) for row in rows if row.whole]
    best = pareto(whole, higher_is_better=higher_is_better)
    return [{"x": x, "y": y} for x, y in sorted({point for point, kept in zip(whole, best, strict=True) if kept})]


def _scales(color, shape, rows):
    """Colour by family and shape by the method in it, as in the site's light theme."""
    colours = dict(re.findall(r"--family-(\w+): light-dark\((#\w+)", (SOURCE / "theme.css").read_text("utf-8")))
    families: dict[str, list[str]] = {}
    for name, family in sorted({(row.record.method.name, row.record.method.family) for row in rows}):
        families.setdefault(family, []).append(name)
    numbered = {family: str(i % 8) for i, family in enumerate(sorted(families.keys() - {"dense"}))} | {"dense": "none"}
    methods = [
        (name, colours[numbered[f]], SHAPES[i % 8]) for f in sorted(families) for i, name in enumerate(families[f])
    ]
    names, hues, shapes = map(list, zip(*methods, strict=True))
    legend = {"title": None, "symbolOpacity": 1}
    color |= {"scale": {"domain": names, "range": hues}, "legend": legend}
    shape |= {"scale": {"domain": names, "range": shapes}, "legend": legend}
