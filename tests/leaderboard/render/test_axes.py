"""What a plot shows: axes, and the qualities in sight."""

import pytest

from leaderboard.board.board import boards
from leaderboard.render.axes import AXES, in_sight, near_dense


def seen(of, record):
    (board,) = boards([record])
    return of(board.task, board.divisions[0])


def test_a_wide_interval_leaves_room_for_the_rest(toy):
    """Losses of 2 to 2.6 ± 0.03 and one of 2 ± 4: a quarter of what the means span is in sight on either side."""

    def losses(*values):
        return {0: toy.result(sum(values) / 4, 5000, "loss", outcomes=list(values))}

    narrow = {8: losses(1.99, 2.01, 2.0, 2.0), 6: losses(2.29, 2.31, 2.3, 2.3), 4: losses(2.59, 2.61, 2.6, 2.6)}
    wide = {2: losses(0.5, 0.5, 0.5, 6.5)}
    low, high = seen(in_sight, toy(narrow, task=toy.loss, dense={0: 2.3}))
    assert (1.97 < low < 2.0, 2.6 < high < 2.63) == (True, True)
    assert seen(in_sight, toy(narrow | wide, task=toy.loss, dense={0: 2.3})) == pytest.approx((1.85, 2.75))
    low, high = seen(in_sight, toy(wide, task=toy.loss, dense={0: 2.3}))  # alone, it has all the room there is
    assert low < 0.5 < 8 < high
    assert seen(in_sight, toy({2: {0: "no room"}})) == (0.9, 0.9)  # dense alone


def test_near_dense_is_five_margins(toy):
    """Margin 0.01: 0.05 below dense and a third of it above. Of losses, margin 0.04: 0.2 above."""
    assert seen(near_dense, toy({4: {0: (0.9, 4000)}})) == pytest.approx((0.85, 0.9 + 0.05 / 3))
    assert seen(near_dense, toy({4: {0: (0.9, 4000)}}, dense={0: 1.0})) == pytest.approx((0.95, 1.0))
    losses = toy({4: {0: (2.0, 4000)}}, task=toy.loss, dense={0: 2.0})
    assert seen(near_dense, losses) == pytest.approx((2 - 0.2 / 3, 2.2))
    unknown = toy({4: {0: (0.9, 4000)}}, task=toy.task | {"margin": None})
    assert seen(near_dense, unknown) == seen(in_sight, unknown)


@pytest.mark.parametrize(
    ("axis", "value"),
    [("bytes", 5000), ("macs", 1_234_000), ("bops", 4e9), ("latency_1", 0.5), ("latency", 2.0), ("cost", 12.0)],
)
def test_axes(toy, axis, value):
    (board,) = boards([toy({8: {0: (0.9, 5000)}})])
    assert AXES[axis].of(board.divisions[0].rows[0].figures) == value
    assert list(AXES) == [each.column for each in AXES.values()]


def test_a_log_axis_has_no_zero(toy):
    cost = toy.result(0.9, 5000).cost
    free = type(cost)(**{name: getattr(cost, name) for name in cost.__struct_fields__} | {"seconds": 0.0})
    (board,) = boards([toy({8: {0: toy.result(0.9, 5000, cost=free)}})])
    assert AXES["cost"].of(board.divisions[0].rows[0].figures) == 0.01
