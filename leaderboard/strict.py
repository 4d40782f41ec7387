"""What a JSON parser lets pass and a record must not hold: repeated keys and numbers that are none."""

import json
import math
from typing import Any, NamedTuple


class _Bad(NamedTuple):
    """Stands where something unacceptable was read."""

    what: str


def parse(text: str) -> Any:
    """The value of `text`. Raises ValueError: not JSON, or a repeated key, NaN or an infinity, with its field."""
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
    except RecursionError:
        raise ValueError("not a record: nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    for field, bad in _find(value, "$"):
        raise ValueError(f"{bad.what} - at `{field}`")
    return value


def _object(pairs):
    keys = [key for key, _ in pairs]
    repeated = [key for key in keys if keys.count(key) > 1]
    return _Bad(f"key {repeated[0]!r} occurs twice") if repeated else dict(pairs)


def _constant(name):
    return _Bad(f"{name} is not a number")


def _float(text):
    value = float(text)
    return value if math.isfinite(value) else _Bad(f"{text} is out of range")


def _find(value, field):
    if isinstance(value, _Bad):
        yield field, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _find(item, f"{field}.{key}")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _find(item, f"{field}[{i}]")
