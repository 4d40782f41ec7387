"""The two references: the trained net as it is, and the same net trained on. Neither has a strength."""

from methods.base import RATES, Description, Entry, Method


def dense() -> Method:
    """Returns the method that does nothing: the trained net as it is, float32."""
    return Method()


def finetuned() -> Method:
    """Returns the method that only trains on: dense plus recovery, the reference of whatever trains."""
    return Method()


DENSE = Entry(dense, Description(family="dense", knobs=(), sweep=((),)))
FINETUNED = Entry(finetuned, Description(family="dense", knobs=(), sweep=((),), budget="recovery", trials=RATES))

METHODS: dict[str, Entry] = {"dense": DENSE, "finetuned": FINETUNED}
