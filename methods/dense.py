"""Dense: nothing is done. The row that every other row is compared with."""

from methods.base import Description, Entry, Method


def dense() -> Method:
    """Returns the method that does nothing: the trained net as it is, float32. It has no strength."""
    return Method()


DENSE = Entry(dense, Description(family="dense", knobs=(), sweep=((),)))
