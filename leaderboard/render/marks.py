"""The mark of each method, the same in every plot and table: colour says the family, shape and fill the method in it.

COLOURS are those of Okabe and Ito, which colour-blind readers tell apart, lighter in the dark where they need to be.
8 families and, in each, 8 shapes × 3 fills = 24 methods have a mark of their own; beyond that marks repeat.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from leaderboard.board.board import Board
from leaderboard.record.schema import MethodInfo


class Colour(NamedTuple):
    """Hexadecimal, for a light page and for a dark one."""

    light: str
    dark: str


DENSE = "dense"
"""The family of the dense net, which is grey."""
GREY = Colour("#5b636d", "#9ba4af")
COLOURS = (
    Colour("#d55e00", "#ef7b2b"),
    Colour("#009e73", "#22bf93"),
    Colour("#0072b2", "#4aa8e8"),
    Colour("#c2619b", "#dd8cbc"),
    Colour("#c98a00", "#e9b02f"),
    Colour("#38a3dc", "#8fd0f5"),
    Colour("#7d6a00", "#f0e442"),
    Colour("#33383e", "#d4d8dc"),
)
FAMILIES = ("chain", "distillation", "pruning", "quantization", "structured pruning", "search")
"""The first colours; other families have the next ones, by name."""
SHAPES = {
    "circle": "M4,0A4,4,0,1,1,-4,0A4,4,0,1,1,4,0Z",
    "square": "M-3.6,-3.6H3.6V3.6H-3.6Z",
    "triangle-up": "M0,-4.4L4.4,3.6H-4.4Z",
    "diamond": "M0,-5L4,0L0,5L-4,0Z",
    "triangle-down": "M0,4.4L4.4,-3.6H-4.4Z",
    "cross": "M-1.6,-4.6H1.6V-1.6H4.6V1.6H1.6V4.6H-1.6V1.6H-4.6V-1.6H-1.6Z",
    "triangle-right": "M4.4,0L-3.6,-4.4V4.4Z",
    "triangle-left": "M-4.4,0L3.6,-4.4V4.4Z",
}
"""Vega's name -> path in a square from -6 to 6, for symbols in text."""
FILLS = (1.0, 0.0, 0.4)
"""Shares of the colour in what a mark's outline holds; the rest is the paper's."""


class Mark(NamedTuple):
    """How a method is drawn."""

    method: str
    family: str
    colour: int | None  # of COLOURS; None is GREY
    shape: str
    fill: float


def marks(methods: Iterable[MethodInfo]) -> list[Mark]:
    """Returns the mark of each method, by family and name; the same method may occur many times."""
    families: dict[str, set[str]] = {}
    for method in methods:
        families.setdefault(method.family, set()).add(method.name)
    numbers = _numbers(families)
    return [
        Mark(name, family, numbers.get(family), *_shape(i))
        for family in sorted(families)
        for i, name in enumerate(sorted(families[family]))
    ]


def methods_of(boards: Sequence[Board]) -> list[MethodInfo]:
    """Returns the method of every record of a registered task, ranked or stale."""
    boards = [board for board in boards if board.registered]
    ranked = [row.record.method for board in boards for division in board.divisions for row in division.rows]
    return ranked + [stale.record.method for board in boards for stale in board.stale]


def _numbers(families: Iterable[str]) -> dict[str, int]:
    others = sorted(set(families) - {*FAMILIES, DENSE})
    return {family: i % len(COLOURS) for i, family in enumerate((*FAMILIES, *others))}


def _shape(i: int) -> tuple[str, float]:
    names = list(SHAPES)
    return names[i % len(names)], FILLS[i // len(names) % len(FILLS)]


def light(mark: Mark) -> tuple[str, str]:
    """Returns the colours of outline and inside, on white."""
    colour = (GREY if mark.colour is None else COLOURS[mark.colour]).light
    mixed = (round(255 + mark.fill * (int(colour[i : i + 2], 16) - 255)) for i in (1, 3, 5))
    return colour, "#" + "".join(f"{part:02x}" for part in mixed)


def variable(colour: int | None) -> str:
    """Returns the name of a colour in the page's styles."""
    return f"--family-{'none' if colour is None else colour}"


def css() -> str:
    """Returns the colours as custom properties."""
    named = [(variable(None), GREY), *((variable(i), colour) for i, colour in enumerate(COLOURS))]
    lines = [f"  {name}: light-dark({colour.light}, {colour.dark});" for name, colour in named]
    return "\n".join([":root {", *lines, "}", ""])
