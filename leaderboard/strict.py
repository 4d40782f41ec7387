"""What a JSON parser lets pass and a record must not hold: repeated keys, and numbers that are none or too large."""

import json
from typing import Any, NamedTuple

GREATEST_INT = 2**53 - 1
"""The largest integer up to which every reader of JSON, a browser too, holds all of them (RFC 8259 §6)."""
GREATEST_FLOAT = 1e100
"""float32, in which nets compute, ends at 3.4e38; and sums and squares of what is smaller are finite."""


class _Bad(NamedTuple):
    """Stands where something unacceptable was read."""

    what: str


def parse(text: str) -> Any:
    """The value of `text`. Raises ValueError, with the field: no JSON, a repeated key, NaN, a number out of range."""
    found = []  # most records hold nothing bad, and need not be searched for it

    def bad(what):
        found.append(_Bad(what))
        return found[-1]

    hooks = {
        "object_pairs_hook": lambda pairs: _object(pairs, bad),
        "parse_constant": lambda name: bad(f"{name} is not a number"),
        "parse_float": lambda text: _float(text, bad),
        "parse_int": lambda text: _int(text, bad),
    }
    try:
        value = json.loads(text, **hooks)
        field, first = next(_find(value, "$")) if found else (None, None)
    except RecursionError:
        raise ValueError("not a record: nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    if found:
        raise ValueError(f"{first.what} - at `{field}`")
    return value


def _object(pairs, bad):
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    seen = set()
    return bad(f"key {next(key for key, _ in pairs if key in seen or seen.add(key))!r} occurs twice")


def _float(text, bad):
    value = float(text)
    return value if abs(value) <= GREATEST_FLOAT else bad(f"{text} is out of range")


def _int(text, bad):
    short = len(text) <= len(str(-GREATEST_INT))
    return int(text) if short and abs(int(text)) <= GREATEST_INT else bad(f"{text} is out of range")


def _find(value, field):
    """(field, flaw) of each in a value; one inside an object that is itself bad is not looked for."""
    if isinstance(value, _Bad):
        yield field, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _find(item, f"{field}.{key}")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _find(item, f"{field}[{i}]")
