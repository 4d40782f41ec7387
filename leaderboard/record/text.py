"""Strings of records as one line, and short."""


def plain(text: str) -> str:
    """One line without control, format or surrogate characters: fit for a terminal."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())


def shortened(text: str, most: int) -> str:
    """`text`, or its beginning and end with " … " between, together at most `most` characters."""
    half = (most - 3) // 2
    return text if len(text) <= most else f"{text[:half]} … {text[-half:]}"
