"""What the trade-off plots of papers draw."""

import re

import pytest

from leaderboard.board.board import boards
from leaderboard.render import plots


def test_points_front_and_legend_by_hand(toy):
    """2 kB 0.6 and 5 kB 0.9 are the front; 5 kB 0.8 is beaten; who cost less than 10 ms is drawn there."""
    a = toy({8: {0: (0.9, 5000)}, 4: {0: (0.6, 2000)}}, method="a")
    b = toy({0.5: {0: (0.8, 5000)}}, method="b")
    (board,) = boards([a, b])
    spec = plots.spec(board, board.divisions[0], plots.AXES["bytes"])
    points = [(p["x"], p["y"], p["method"]) for p in spec["datasets"]["points"]]
    assert points == [(5000, 0.9, "a"), (2000, 0.6, "a"), (5000, 0.8, "b")]
    assert spec["datasets"]["front"] == [{"x": 2000, "y": 0.6}, {"x": 5000, "y": 0.9}, {"x": 5000, "y": 0.9}]
    assert spec["datasets"]["dense"] == [{"x": 2000, "y": 0.9}, {"x": 5000, "y": 0.9}]
    assert spec["encoding"]["color"]["scale"] == {"domain": ["a", "b"], "range": ["#d55e00", "#d55e00"]}
    assert spec["encoding"]["y"]["axis"]["title"] == "accuracy, higher is better"


def test_a_wide_interval_leaves_room_for_the_rest(toy):
    """0.5 and 0.9 are 0.7 ± 2.5. Means span 0.6 to 0.9: a quarter of it more is in sight, as most have no interval."""

    def sight(points, **changes):
        (board,) = boards([toy(points, **changes)])
        return plots.spec(board, board.divisions[0], plots.AXES["bytes"])["encoding"]["y"]["scale"].get("domain")

    single = {8: {0: (0.9, 5000)}, 6: {0: (0.8, 4000)}, 4: {0: (0.6, 2000)}}
    assert sight(single) == pytest.approx([0.6, 0.9])
    assert sight(single | {2: {0: (0.5, 1000), 1: (0.9, 1000)}}) == pytest.approx([0.525, 0.975])
    assert sight({2: {0: (0.5, 1000), 1: (0.9, 1000)}}) == [0, 1]  # alone, it has all the room there is
    assert sight({2: {0: (0.9, 1000)}}) is None


@pytest.mark.parametrize(
    ("axis", "value"), [("bytes", 5000), ("macs", 1_234_000), ("bops", 4e9), ("latency", 2.0), ("cost", 12.0)]
)
def test_axes(toy, axis, value):
    (board,) = boards([toy({8: {0: (0.9, 5000)}})])
    (point,) = plots.spec(board, board.divisions[0], plots.AXES[axis])["datasets"]["points"]
    assert point["x"] == value


def test_shapes_are_the_sites():
    text = (plots.SOURCE / "marks.js").read_text("utf-8").partition("SHAPES = {")[2].partition("};")[0]
    assert tuple(re.findall(r'^  "?([a-z-]+)"?:', text, re.MULTILINE)) == plots.SHAPES
