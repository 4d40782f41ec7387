"""Numbers and intervals as tables show them."""

import pytest

from leaderboard.board import display
from leaderboard.stats.summary import Summary


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (7, "7 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (12_345, "12.3 kB"),
        (999_600, "1 MB"),
        (2.5e15, "2500 TB"),
    ],
)
def test_si(value, text):
    assert display.si(value, "B") == text


def test_si_without_unit():
    assert (display.si(950), display.si(1_234_000)) == ("950", "1.23 M")


@pytest.mark.parametrize(("value", "text"), [(0.0123, "0.0123"), (1.799, "1.8"), (999.4, "999"), (12345.6, "12346")])
def test_number(value, text):
    assert display.number(value) == text


@pytest.mark.parametrize(
    ("summary", "text"),
    [
        (Summary(0.95, 0.012, 3, 0.94, 0.97), "0.9500 [0.9400, 0.9700]"),
        (Summary(0.95, None, 1, None, None), "0.9500"),
        (Summary(-0.0123, 0.01, 3, -0.02, 0.01), "−0.0123 [−0.0200, 0.0100]"),
    ],
)
def test_spread(summary, text):
    assert display.spread(summary) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(-0.02, 0.01, "[−0.0200, +0.0100]"), (-0.00001, 0.25, "[+0.0000, +0.2500]"), (None, 1, "")],
)
def test_ends_of_a_difference(low, high, text):
    assert display.ends(low, high, signed=True) == text


@pytest.mark.parametrize(("rank", "text"), [((2, 2), "2"), ((1, 9), "1–9")])
def test_ranks(rank, text):
    assert display.ranks(rank) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0, "p < 0.001"),
        (0.00099, "p < 0.001"),
        (0.001, "p 0.001"),
        (0.0496, "p 0.05"),
        (0.321, "p 0.32"),
        (1.0, "p 1"),
    ],
)
def test_p_value(p, text):
    assert display.p_value(p) == text
