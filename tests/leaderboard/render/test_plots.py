"""What the trade-off plots of papers draw."""

import pytest
import vl_convert

from leaderboard.board.board import boards
from leaderboard.render import plots


def test_points_and_front_by_hand(toy):
    """2 kB 0.6 and 5 kB 0.9 are the front; 5 kB 0.8 is beaten."""
    a = toy({8: {0: (0.9, 5000)}, 4: {0: (0.6, 2000)}}, method="a")
    b = toy({0.5: {0: (0.8, 5000)}}, method="b")
    (board,) = boards([a, b])
    spec = plots.spec(board, board.divisions[0], plots.AXES["bytes"])
    points = [(p["x"], p["y"], p["method"]) for p in spec["datasets"]["points"]]
    assert points == [(5000, 0.9, "a"), (2000, 0.6, "a"), (5000, 0.8, "b")]
    assert spec["datasets"]["front"] == [{"x": 2000, "y": 0.6}, {"x": 5000, "y": 0.9}, {"x": 5000, "y": 0.9}]
    assert spec["datasets"]["dense"] == [{"x": 2000, "y": 0.9}, {"x": 5000, "y": 0.9}]
    assert spec["encoding"]["y"]["axis"]["title"] == "accuracy, higher is better"


def test_marks_titles_and_window(toy):
    """Two methods of one family differ in shape; the latency's title names the task's batch. In sight are the means,
    0.5 to 0.9, and as much around them as the interval of 0.6 needs, up to the ends of the others.
    """
    (board,) = boards([toy({8: {0: (0.9, 5000)}, 4: {0: (0.6, 2000)}}), toy({4: {0: (0.5, 2000)}}, method="lsq")])
    spec = plots.spec(board, board.divisions[0], plots.AXES["latency"])
    mark = spec["layer"][-1]["encoding"]
    assert mark["shape"]["scale"] == {"domain": ["lsq", "rtn"], "range": ["circle", "square"]}
    assert mark["fill"]["scale"] == mark["stroke"]["scale"] == {"domain": ["lsq", "rtn"], "range": ["#c2619b"] * 2}
    (legend,) = vl_convert.vegalite_to_vega(spec, vl_version="6.4")["legends"]
    assert {"fill", "shape", "stroke"} <= set(legend)
    assert spec["encoding"]["x"]["axis"]["title"] == "median latency at batch 8, ms"
    assert spec["encoding"]["y"]["scale"]["domain"] == pytest.approx([0.1637, 0.9930], abs=1e-4)


def test_one_quality_alone_makes_no_window(toy):
    (board,) = boards([toy({2: {0: toy.result(0.9, 1000, outcomes="1")}}, task=toy.task | {"rows": {"test": 1}})])
    assert "domain" not in plots.spec(board, board.divisions[0], plots.AXES["bytes"])["encoding"]["y"]["scale"]
