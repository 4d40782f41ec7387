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
    ("summary", "signed", "text"),
    [
        (Summary(0.95, 0.012, 3, 0.94, 0.97), False, "0.9500 [0.9400, 0.9700]"),
        (Summary(0.95, None, 1, None, None), False, "0.9500"),
        (Summary(-0.0123, 0.01, 3, -0.02, 0.01), True, "−0.0123 [−0.0200, +0.0100]"),
        (Summary(0.25, None, 1, None, None), True, "+0.2500"),
        (Summary(-0.00001, None, 1, None, None), True, "+0.0000"),
    ],
)
def test_spread(summary, signed, text):
    assert display.spread(summary, signed=signed) == text


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
