"""What a plot shows: axes, and the qualities in sight."""

import pytest

from leaderboard.board.board import boards
from leaderboard.render.axes import AXES, in_sight, near_dense


def seen(of, record):
    (board,) = boards([record])
    return of(board.task, board.divisions[0])


def test_a_wide_interval_leaves_room_for_the_rest(toy):
    """0.5 and 0.9 are 0.7 ± 2.5. Means span 0.6 to 0.9: a quarter of it more is in sight, as most have no interval."""
    single = {8: {0: (0.9, 5000)}, 6: {0: (0.8, 4000)}, 4: {0: (0.6, 2000)}}
    assert seen(in_sight, toy(single)) == pytest.approx((0.6, 0.9))
    assert seen(in_sight, toy(single | {2: {0: (0.5, 1000), 1: (0.9, 1000)}})) == pytest.approx((0.525, 0.975))
    assert seen(in_sight, toy({2: {0: (0.5, 1000), 1: (0.9, 1000)}})) == (0, 1)  # alone, it has all the room there is
    assert seen(in_sight, toy({2: {0: "no room"}})) == (0.9, 0.9)  # dense alone


def test_near_dense_is_a_tenth_of_the_way_to_the_reference(toy):
    """Dense 0.9, reference 0.5: 0.04 below and a third of it above. Of losses, dense 2 and reference 3: 0.1 above."""
    assert seen(near_dense, toy({4: {0: (0.9, 4000)}})) == pytest.approx((0.86, 0.9 + 0.04 / 3))
    assert seen(near_dense, toy({4: {0: (0.9, 4000)}}, dense={0: 1.0})) == pytest.approx((0.95, 1.0))
    losses = toy({4: {0: (2.0, 4000)}}, task=toy.loss, dense={0: 2.0})
    assert seen(near_dense, losses) == pytest.approx((2 - 0.1 / 3, 2.1))


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
