"""Numbers and intervals as tables show them."""

from leaderboard.stats.summary import Summary

MISSING = "–"


def si(value: float, unit: str = "") -> str:
    """Three significant digits and an SI prefix: "12.3 kB"; powers of 1000."""
    prefixes = iter(("", "k", "M", "G", "T"))
    prefix = next(prefixes)
    while abs(value) >= 999.5 and prefix != "T":
        value, prefix = value / 1000, next(prefixes)
    number = f"{value:.3g}" if abs(value) < 999.5 else f"{value:.0f}"
    return f"{number} {prefix}{unit}".rstrip()


def number(value: float) -> str:
    """Three significant digits, never an exponent for large values."""
    return f"{value:.3g}" if abs(value) < 999.5 else f"{value:.0f}"


def spread(summary: Summary, *, signed: bool = False) -> str:
    """ "0.9523 [0.9501, 0.9545]", mean and 95 % interval; the mean alone of one value."""
    return interval(summary.mean, summary.low, summary.high, signed=signed)


def interval(value: float, low: float | None, high: float | None, *, digits: int = 4, signed: bool = False) -> str:
    """The value, and its interval if it has one."""
    text = fixed(value, digits, signed=signed)
    if low is None or high is None:
        return text
    return f"{text} [{fixed(low, digits, signed=signed)}, {fixed(high, digits, signed=signed)}]"


def fixed(value: float, digits: int = 4, *, signed: bool = False) -> str:
    """ "−0.0123" """
    value = round(value, digits) + 0.0  # + 0.0: no negative zero
    return f"{value:+.{digits}f}".replace("-", "−") if signed else f"{value:.{digits}f}".replace("-", "−")


def p_value(p: float) -> str:
    """ "p 0.012"; "p < 0.001"; two significant digits."""
    return "p < 0.001" if p < 0.001 else f"p {p:.2g}"
