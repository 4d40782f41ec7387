"""Numbers and intervals as tables show them: one rule for each unit, in site/source/format.js as here."""

from collections.abc import Callable, Mapping

from leaderboard.stats.summary import Summary

MISSING = "–"


def si(value: float, unit: str = "") -> str:
    """Returns three significant digits and an SI prefix, of powers of 1000: "12.3 kB"."""
    prefixes = iter(("", "k", "M", "G", "T"))
    prefix = next(prefixes)
    while abs(value) >= 999.5 and prefix != "T":
        value, prefix = value / 1000, next(prefixes)
    number = f"{value:.3g}" if abs(value) < 999.5 else f"{value:.0f}"
    return f"{number} {prefix}{unit}".rstrip()


def number(value: float) -> str:
    """Returns three significant digits, never with an exponent for large values."""
    return f"{value:.3g}" if abs(value) < 999.5 else f"{value:.0f}"


def spread(summary: Summary) -> str:
    """Returns mean and 95 % interval, "0.9523 [0.9501, 0.9545]"; the mean alone where there is one value."""
    return interval(summary.mean, summary.low, summary.high)


def interval(value: float, low: float | None, high: float | None, *, digits: int = 4) -> str:
    """Returns the value, and its interval if it has one: "0.95 [0.94, 0.96]".

    Args:
        value: mean.
        low: lower end of its interval, None where it has none.
        high: upper end.
        digits: decimal places.
    """
    return f"{fixed(value, digits)} {ends(low, high, digits=digits)}".rstrip()


def ends(low: float | None, high: float | None, *, digits: int = 4, signed: bool = False) -> str:
    """Returns "[0.94, 0.96]", or "" where there is no interval.

    Args:
        low: lower end, None where there is none.
        high: upper end.
        digits: decimal places.
        signed: whether a plus is shown.
    """
    if low is None or high is None:
        return ""
    return f"[{fixed(low, digits, signed=signed)}, {fixed(high, digits, signed=signed)}]"


def fixed(value: float, digits: int = 4, *, signed: bool = False) -> str:
    """Returns decimal places with the sign for minus: "−0.0123".

    Args:
        value: number.
        digits: decimal places.
        signed: whether a plus is shown, also of zero.
    """
    value = round(value, digits) + 0.0  # + 0.0: no negative zero
    return f"{value:+.{digits}f}".replace("-", "−") if signed else f"{value:.{digits}f}".replace("-", "−")


def ranks(rank: tuple[int, int]) -> str:
    """Returns "2", or "1–9" where any of these ranks may be."""
    first, last = rank
    return str(first) if first == last else f"{first}–{last}"


def p_value(p: float) -> str:
    """Returns "p 0.012" or "p < 0.001": two significant digits."""
    return "p < 0.001" if p < 0.001 else f"p {p:.2g}"


UNITS: Mapping[str, Callable[[float], str]] = {
    "quality": fixed,
    "difference": lambda value: fixed(value, signed=True),
    "score": lambda value: fixed(value, 3),
    "p": p_value,
    "B": lambda value: si(value, "B"),
    "count": si,
    "ms": lambda value: f"{number(value)} ms",
    "s": lambda value: f"{number(round(value, 2))} s",
    "ratio": lambda value: f"×{number(value)}",
    "speedup": lambda value: f"×{value:.2f}",
    "number": number,
}
"""Unit -> how a number of it is shown."""
AMOUNTS: Mapping[str, Mapping[str, float]] = {
    "B": {"B": 1.0, "kB": 1e3, "MB": 1e6},
    "ms": {"us": 1e-3, "ms": 1.0, "s": 1e3},
    "count": {"k": 1e3, "M": 1e6, "G": 1e9},
    "s": {"ms": 1e-3, "s": 1.0},
}
"""Unit -> what may stand behind a number that someone types, and how much of the unit it is."""


def shown(value: float | None, unit: str) -> str:
    """Returns a number as text, by the rule of its unit; MISSING where there is none."""
    return MISSING if value is None else UNITS[unit](value)
