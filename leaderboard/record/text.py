"""Strings of records as one line, and short."""


def plain(text: str) -> str:
    """Returns one line without control, format or surrogate characters, fit for a terminal."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())


def shortened(text: str, most: int) -> str:
    """Returns `text`, or its beginning and end with " … " between them: at most `most` characters."""
    half = (most - 3) // 2
    return text if len(text) <= most else f"{text[:half]} … {text[-half:]}"
