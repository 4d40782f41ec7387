"""The trade-off plot of a division, in Vega-Lite, for papers.

The specification is the site's, `leaderboard/site/source/tradeoff.json`; marks and axes are those of the site, too.
"""

import json
from pathlib import Path
from typing import Any

from leaderboard.board.board import Board, Division
from leaderboard.board.rows import Row
from leaderboard.render.axes import AXES, Axis, in_sight, quality_title
from leaderboard.render.columns import filled
from leaderboard.render.marks import Mark, light, marks, methods_of
from leaderboard.stats.pareto import pareto

__all__ = ["AXES", "spec"]
SPEC = Path(__file__).parents[1] / "site" / "source" / "tradeoff.json"
"""What the site draws."""
WIDTH, HEIGHT = 560, 360
CONFIG = {"view": {"stroke": None}, "axis": {"titleFontWeight": "normal"}}


def spec(board: Board, division: Division, axis: Axis) -> dict[str, Any]:
    """Returns the plot of a division in Vega-Lite.

    Args:
        board: its task's.
        division: with at least one row that has figures.
        axis: what quality is drawn against.
    """
    plot = json.loads(SPEC.read_text("utf-8"))
    points = [_point(row, axis) for row in division.rows if row.figures]
    plot |= {"width": WIDTH, "height": HEIGHT, "background": "white", "config": CONFIG}
    plot["datasets"] = _datasets(board, division, axis, points)
    x, y = plot["encoding"]["x"], plot["encoding"]["y"]
    x["axis"] |= {"title": filled(axis.title, board.task), "format": axis.format}
    del x["axis"]["values"]
    low, high = in_sight(board.task, division)
    y["scale"] |= {"domain": [low, high]} if low < high else {}
    y["axis"]["title"] = quality_title(board.task)
    present = {row.record.method.name for row in division.rows}
    _scale(plot, [mark for mark in marks(methods_of([board])) if mark.method in present])
    return plot


def _datasets(board: Board, division: Division, axis: Axis, points: list[dict[str, Any]]) -> dict[str, list]:
    left, right = min(p["x"] for p in points), max(p["x"] for p in points)
    dense = division.level.mean
    front = _front(division.rows, axis, board.task.higher_is_better)
    return {
        "points": points,
        "front": [*front, {"x": right, "y": front[-1]["y"]}] if front else [],
        "dense": [{"x": left, "y": dense}, {"x": right, "y": dense}],
        "limit": [],
    }


def _point(row: Row, axis: Axis) -> dict[str, Any]:
    figures, method = row.figures, row.record.method
    assert figures is not None
    place = {"x": axis.of(figures), "y": figures.quality.mean, "low": figures.quality.low, "high": figures.quality.high}
    return place | {"record": f"{method.name}-{method.digest}", "method": method.name, "opacity": 1, "line": 0.45}


def _front(rows: list[Row], axis: Axis, higher_is_better: bool) -> list[dict[str, float]]:
    whole = [(axis.of(row.figures), row.figures.quality.mean) for row in rows if row.whole and row.figures]
    best = pareto(whole, higher_is_better=higher_is_better)
    return [{"x": x, "y": y} for x, y in sorted({point for point, kept in zip(whole, best, strict=True) if kept})]


def _scale(plot: dict[str, Any], known: list[Mark]) -> None:
    """Tells the channels of a specification, which name the field "method", what mark is whose."""
    outlines, insides = zip(*map(light, known), strict=True)
    ranges = {"color": outlines, "stroke": outlines, "fill": insides, "shape": [mark.shape for mark in known]}
    legend = {"title": None, "symbolOpacity": 1}
    for layer in plot["layer"]:
        for channel, values in ranges.items():
            encoding = layer.get("encoding", {}).get(channel, {})
            if encoding.get("field") == "method":
                encoding["scale"] = {"domain": [mark.method for mark in known], "range": list(values)}
                encoding["legend"] = legend
