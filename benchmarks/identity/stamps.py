"""Stamps: each folder of dense nets or runs holds the identity of what lies in it, and what differs is named."""

import contextlib
import re
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from leaderboard.record.atomic import write_atomically
from leaderboard.record.canonical import dumps

FILE = "identity.json"


class Place(NamedTuple):
    """A folder, and everything that can change what is in it."""

    folder: Path  # of one seed
    shared: Path  # of all seeds and strengths
    identity: dict[str, Any]
    digest: str


def differences(a: Any, b: Any, path: str = "") -> list[str]:
    """Returns the dotted names of the fields in which two JSON values differ.

    Args:
      a: one.
      b: the other.
      path: dotted name of the two in what they are part of.
    """
    if isinstance(a, dict) and isinstance(b, dict):
        names = sorted(a.keys() | b.keys())
        return [
            found
            for name in names
            for found in differences(a.get(name), b.get(name), f"{path}.{name}" if path else name)
        ]
    return [] if a == b else [path]


def stamp(place: Place) -> None:
    """Writes the identity of what lies in a place, once."""
    file = place.shared / FILE
    if not file.exists():
        write_atomically(file, dumps(place.identity) + "\n")


def reason(place: Place) -> str | None:
    """Returns why what lies beside a place that is still empty is not taken; None if nothing does."""
    if (place.shared / FILE).exists():
        return None
    others = []
    name = re.escape(place.shared.name.rpartition("-")[0])
    for file in place.shared.parent.glob(f"*/{FILE}"):
        if not re.fullmatch(rf"{name}-[0-9a-f]+", file.parent.name):
            continue
        with contextlib.suppress(OSError, ValueError):
            there = msgspec.json.decode(file.read_bytes())
            others.append((differences(there, place.identity), file.parent.name))
    if not others:
        return None
    fields, nearest = min(others, key=lambda other: (len(other[0]), other[1]))
    return f"made anew: {nearest} differs in {', '.join(fields)}"
