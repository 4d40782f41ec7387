"""What a JSON parser lets pass and a record must not hold: repeated keys, NaN and infinities.

What is out of a float's range is refused by msgspec, which decodes next and names the field.
"""

import json
from functools import partial
from typing import Any, NamedTuple


class _Bad(NamedTuple):
    """Stands where something unacceptable was read."""

    what: str


def parse(text: str) -> Any:
    """The value of `text`. Raises ValueError: not JSON, or a repeated key, NaN or an infinity, with its field."""
    bad: list[_Bad] = []  # where it is, is looked for only if there is any: most records are good, and some are large
    hooks = {"object_pairs_hook": _object, "parse_constant": _constant}
    try:
        value = json.loads(text, **{name: partial(hook, bad) for name, hook in hooks.items()})
    except RecursionError:
        raise ValueError("not a record: nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    for field, found in _find(value, "$") if bad else ():
        raise ValueError(f"{found.what} - at `{field}`")
    return value


def _object(bad, pairs):
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    keys = [key for key, _ in pairs]
    return _mark(bad, f"key {next(key for key in keys if keys.count(key) > 1)!r} occurs twice")


def _constant(bad, name):
    return _mark(bad, f"{name} is not a number")


def _mark(bad, what):
    bad.append(_Bad(what))
    return bad[-1]


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
