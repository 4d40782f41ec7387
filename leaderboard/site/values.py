"""Values as the page's payload holds them: few digits, and strings that are one line and of bounded length."""

from typing import Any

from leaderboard.record.canonical import digits
from leaderboard.record.text import plain

LONGEST = 400
"""Characters of a string that are shown; a record's file has the rest."""


def number(value: float | None, significant: int = 5) -> float | int | None:
    """Returns a number rounded, whole ones as integers: the last bits of a platform's arithmetic do not show."""
    if value is None:
        return None
    rounded = digits(float(value), significant)
    return int(rounded) if rounded == int(rounded) else rounded


def places(value: float | None, digits: int = 4) -> float | None:
    """Returns a quality rounded to the decimal places that the tables show."""
    return None if value is None else round(value, digits) + 0.0  # + 0.0: no negative zero


def text(value: str | None) -> str | None:
    """Returns a string without control and format characters: what is copied from the page is what is seen."""
    if value is None:
        return None
    line = plain(value)
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}… ({len(line)} characters)"


def tree(value: Any) -> Any:
    """Returns a JSON value with `text` and `number` applied to its leaves."""
    if isinstance(value, dict):
        return {text(key): tree(item) for key, item in value.items()}
    if isinstance(value, list):
        return [tree(item) for item in value]
    if isinstance(value, str):
        return text(value)
    return number(value, 9) if isinstance(value, float) else value
