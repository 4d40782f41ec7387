"""Numbers and strings as a table shows them."""

import re
import unicodedata

from leaderboard.statistics import Summary

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
    """ "0.9523 ± 0.0021"; the mean alone of one value."""
    mean = round(summary.mean, 4) + 0.0  # + 0.0: no negative zero
    text = f"{mean:+.4f}".replace("-", "−") if signed else f"{mean:.4f}"
    return text if summary.std is None else f"{text} ± {summary.std:.4f}"


def plain(text: str) -> str:
    """One line without control, format or surrogate characters: fit for a terminal."""
    return " ".join("".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text).split())


def shortened(text: str, most: int) -> str:
    """`text`, or its beginning and end with " … " between, together at most `most` characters."""
    half = (most - 3) // 2
    return text if len(text) <= most else f"{text[:half]} … {text[-half:]}"


def markdown(text: str) -> str:
    """`text` such that GitHub's Markdown, in a table or outside, shows it literally and on one line."""
    text = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\`*\[\]|~$])", r"\\\1", text)
    return re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", text)
