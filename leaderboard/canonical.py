"""JSON values in one canonical form: byte-stable text, digests, and numbers of few digits."""

import hashlib
import json
import math
from typing import Any


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
