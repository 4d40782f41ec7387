"""JSON values in one canonical form: read strictly, written byte-stably, digested; numbers of few digits."""

import hashlib
import json
import math
from typing import Any


class _Flaw(ValueError):
    """Something that is JSON to a parser, and no record."""


def parse(text: str) -> Any:
    """Returns the value of a JSON text.

    Raises ValueError where a JSON parser is content and a record must not be: a key twice in an object, NaN, an
    infinity, or nesting that is too deep. A number beyond floats is left to msgspec, which names its field.
    """
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except RecursionError:
        raise ValueError("not a record: nested too deeply") from None
    except _Flaw:
        raise
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None


def _object(pairs):
    value = dict(pairs)
    if len(value) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _Flaw(f"key {next(key for key in keys if keys.count(key) > 1)!r} occurs twice")
    return value


def _constant(name):
    raise _Flaw(f"{name} is not a number")


def dumps(value: Any, indent: str = "") -> str:
    """Returns JSON with sorted keys, one key a line, and every list of scalars on one line.

    Raises ValueError for NaN and infinities.
    """
    deeper = indent + " "
    if isinstance(value, dict) and value:
        rows = (f"{deeper}{json.dumps(k)}: {dumps(value[k], deeper)}" for k in sorted(value))
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return "[\n" + ",\n".join(deeper + dumps(item, deeper) for item in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def digest(value: Any) -> str:
    """Returns eight hex digits of a JSON value: `method.digest` of `config`, the key of a provenance."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]


def digits(value: float, significant: int = 6) -> float:
    """Returns `value` rounded to `significant` digits: what a record stores of a measured number."""
    return float(f"{value:.{significant}g}") if math.isfinite(value) else value
