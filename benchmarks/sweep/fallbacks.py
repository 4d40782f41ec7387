"""Fallbacks that a method took, for the record: nothing it could not do as asked goes unsaid."""

import contextlib
import warnings
from collections.abc import Iterator

from methods.base import Fallback


@contextlib.contextmanager
def collected(notes: list[str]) -> Iterator[None]:
    """Appends the text of each `Fallback` that the body warns of, once; other warnings pass."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", Fallback)
        yield
    for warning in caught:
        if not issubclass(warning.category, Fallback):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
        elif str(warning.message) not in notes:
            notes.append(str(warning.message))
