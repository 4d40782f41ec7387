"""What the page works out by itself, as it depends on what someone types or hides: the same as in Python."""

import random

import numpy as np
import pytest
from scipy import stats

from leaderboard.board import display
from leaderboard.board.board import boards
from leaderboard.board.rows import name
from leaderboard.render import budget
from leaderboard.render.axes import AXES
from leaderboard.render.columns import COLUMNS, entries
from leaderboard.site import page, told
from leaderboard.stats.paired import clusters, compare, sample
from leaderboard.stats.pareto import pareto

NUMBERS = [
    *(("quality", value, text) for value, text in ((0, "0.0000"), (0.03125, "0.0312"), (0.09375, "0.0938"))),
    *(("quality", value, text) for value, text in ((-0.00001, "0.0000"), (-0.5, "−0.5000"), (12, "12.0000"))),
    *(("difference", value, text) for value, text in ((0, "+0.0000"), (-0.00001, "+0.0000"), (-0.1, "−0.1000"))),
    ("score", 0.0625, "0.062"),
    *(("p", value, text) for value, text in ((0, "p < 0.001"), (0.001, "p 0.001"), (0.125, "p 0.12"), (1, "p 1"))),
    *(("B", value, text) for value, text in ((7, "7 B"), (999.5, "1 kB"), (12_250, "12.2 kB"), (12_350, "12.3 kB"))),
    *(("B", value, text) for value, text in ((87_149, "87.1 kB"), (999_600, "1 MB"), (2.5e15, "2500 TB"))),
    *(("count", value, text) for value, text in ((950, "950"), (1_234_000, "1.23 M"), (0.00005, "5e-05"))),
    *(("ms", value, text) for value, text in ((0.5, "0.5 ms"), (1000.5, "1000 ms"), (1001.5, "1002 ms"))),
    *(("s", value, text) for value, text in ((0.004, "0 s"), (12.345, "12.3 s"), (12345.6, "12346 s"))),
    *(("ratio", value, text) for value, text in ((8, "×8"), (3.625, "×3.62"))),
    *(("speedup", value, text) for value, text in ((1.8, "×1.80"), (0.125, "×0.12"), (12.345, "×12.35"))),
    *(("number", value, text) for value, text in ((1 / 3, "0.333"), (-2.5, "-2.5"))),
]
"""(unit, number, text). Ties are rounded to even: 0.03125, 12 250, 1000.5."""


def script(module, call):
    """The script that loads a module of the page and returns what a call gives."""
    return "\n".join([*page._modules(module, set()), f"return {call}"])


def test_numbers_by_their_units(browser):
    assert {unit for unit, _, _ in NUMBERS} == set(display.UNITS)
    assert [display.shown(value, unit) for unit, value, _ in NUMBERS] == [text for *_, text in NUMBERS]
    asked = script("format", "arguments[0].map(([unit, value]) => $format.shown(value, unit))")
    assert browser.run(asked, NUMBERS) == [text for *_, text in NUMBERS]
    drawn = random.Random(0)
    many = [(unit, drawn.randrange(10**6) / 1024) for unit in display.UNITS if unit != "p" for _ in range(200)]
    assert browser.run(asked, many) == [display.shown(value, unit) for unit, value in many]


AMOUNTS = [
    *(("bytes", "bytes", text, value) for text, value in (("20kB", 20_000), ("1.5 MB", 1.5e6), (".5 B", 0.5))),
    *(("latency", "latency_1", text, value) for text, value in (("5ms", 5), ("250 us", 0.25), ("2 s", 2000))),
    *(("macs", "macs", text, value) for text, value in (("3M", 3e6), ("1.5 k", 1500))),
]
"""(budget, axis, what someone types, how much that is)"""


def test_amounts(browser, toy):
    """The page also takes a number alone, in the axis's unit, and a prefix alone."""
    axes = {axis["id"]: axis for axis in told.axes(boards([toy({4: {0: (0.9, 4000)}})])[0].task)}
    asked = script("format", "arguments[0].map(([text, axis]) => $format.parseAmount(text, axis))")
    assert [budget.amount(text, by) for by, _, text, _ in AMOUNTS] == [value for *_, value in AMOUNTS]
    assert browser.run(asked, [(text, axes[id]) for _, id, text, _ in AMOUNTS]) == [value for *_, value in AMOUNTS]
    alone = [("20", "bytes"), ("20 k", "bytes"), ("7", "latency"), ("much", "bytes"), ("5 ms", "bytes"), ("0", "macs")]
    assert browser.run(asked, [(text, axes[id]) for text, id in alone]) == [20, 20_000, 7, None, None, None]


@pytest.mark.parametrize("higher", [True, False])
def test_the_front_of_what_is_shown(browser, higher):
    """Of random rows, the dearer the better, equal ones among them; only those whose seeds all finished count."""
    drawn = random.Random(1)
    costs = [drawn.randrange(1, 9) for _ in range(40)]
    qualities = [20 + (cost + drawn.randrange(9)) * (1 if higher else -1) for cost in costs]
    rows = [
        {"bytes": cost, "quality": quality, "whole": drawn.randrange(4) > 0}
        for cost, quality in zip(costs, qualities, strict=True)
    ]
    asked = script("tradeoff", "$tradeoff.front(arguments[0], arguments[1], arguments[2])")
    front = browser.run(asked, rows, {"id": "bytes", "least": 0}, higher)
    points = [(row["bytes"], row["quality"]) for row in rows if row["whole"]]
    best = {point for point, kept in zip(points, pareto(points, higher_is_better=higher), strict=True) if kept}
    assert [(row["bytes"], row["quality"]) for row in front] == sorted(best)
    assert len(best) > 1


@pytest.mark.parametrize(
    ("by", "x", "under"), [("bytes", "bytes", "6kB"), ("bytes", "bytes", "1MB"), ("macs", "macs", "2M")]
)
def test_the_best_under_a_budget(browser, path, records, by, x, under):
    """The first besides dense of those whose seeds all finished, and the first of another method."""
    board = next(board for board in boards(records) if board.task.name == "toy")
    places = budget.ranked(board.task, board.divisions[0], by, budget.amount(under, by))
    rows = [board.divisions[0].rows[i] for i in places if board.divisions[0].rows[i].whole]
    best, *others = [row for row in rows if row.record.method.name != "dense"]
    following = next(row for row in others if row.label != best.label)
    browser.open(path, f"#/task/toy?x={x}&under={under}", afresh=True)
    names = browser.texts(".answer a")
    assert names == [*(name(row) for row in (best, following)), "Compare them"]


def test_cells_are_those_of_the_board(browser, path, records):
    """Every cell that is a text or a number and a note, of every row."""
    board = next(board for board in boards(records) if board.task.name == "toy")
    browser.open(path, "#/task/toy?sort=method")
    rows = [entry for division in board.divisions for entry in entries(board.task, division)]
    for column in COLUMNS:
        if column.id in told.TABLE and column.id not in ("method", "quality"):
            cells = sorted(column.main(entry) + column.note(entry) for entry in rows)
            assert sorted(browser.column(column.id)) == cells


def test_cheap_rows_are_drawn_at_the_end_of_the_axis(browser):
    """Of 0.001 s and 12 s, on the axis that begins at 10 ms."""
    asked = script("tradeoff", "arguments[0].map((row) => $tradeoff.at(row, arguments[1]))")
    rows = [{"cost": 0.001}, {"cost": 12}, {"cost": None}]
    assert browser.run(asked, rows, {"id": "cost", "least": AXES["cost"].least}) == [0.01, 12, None]


def test_student_like_scipy(browser):
    cases = [(t, df) for t in (0.01, 0.7, 2.0, 5.0, 40.0) for df in (1, 1.7, 2, 15.5, 399, 9999)]
    found = browser.run(script("student", "arguments[0].map(([t, df]) => $student.tails(t, df))"), cases)
    assert found == pytest.approx([2 * stats.t.sf(t, df) for t, df in cases], rel=1e-9)
    found = browser.run(script("student", "arguments[0].map(([, df]) => $student.quantile(df, 0.05))"), cases)
    assert found == pytest.approx([stats.t.ppf(0.975, df) for _, df in cases], rel=1e-9)


@pytest.mark.parametrize("labels", [None, [i // 3 for i in range(40)], [0] * 40])
@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("outcome", ["correct", "loss", "same", "all"])
def test_two_rows_are_compared_as_on_the_board(browser, outcome, seeds, labels):
    """Right or wrong and losses, equal rows and opposite ones, of one seed and of three, with clusters and without."""
    rng = np.random.default_rng(3)
    a, b = rng.exponential(size=(2, seeds, 40)).round(3).tolist()
    if outcome != "loss":
        a, b = (["".join("1" if x < 1.2 else "0" for x in row) for row in side] for side in (a, b))
    a, b = {"same": (a, a), "all": (["1" * 40] * seeds, ["0" * 40] * seeds)}.get(outcome, (a, b))
    sides = [
        sample([(i, float(np.mean([float(x) for x in row])), row) for i, row in enumerate(side)], clusters(labels))
        for side in (a, b)
    ]
    found = compare(*sides)
    task = {"clusters": labels, "outcome": "loss" if outcome == "loss" else "correct"}
    call = "$crossed.contrast(arguments[0], arguments[1], arguments[2], arguments[3])"
    told = browser.run(script("crossed", call), a, b, found.difference, task)
    wanted = {name: getattr(found, name) for name in ("low", "high", "p")}
    assert told == (wanted if labels == [0] * 40 else pytest.approx(wanted, rel=1e-9))
