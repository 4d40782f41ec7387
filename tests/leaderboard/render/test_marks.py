"""The marks of methods."""

import re

from leaderboard.board.board import boards
from leaderboard.record.schema import MethodInfo
from leaderboard.render.marks import COLOURS, FAMILIES, Mark, css, light, marks, methods_of


def method(name, family="quantization"):
    return MethodInfo(name=name, family=family, control=None, knobs=[], digest="0a", budget="none", reference="dense")


def test_colour_says_the_family_and_shape_the_method():
    """Quantization is the fourth of the known families; one that nobody knows has the first colour after them."""
    names = {"rtn": "quantization", "dense": "dense", "lsq": "quantization", "own": "mine"}
    found = marks(method(name, family) for name, family in [*names.items(), *names.items()])
    assert found == [
        Mark("dense", "dense", None, "circle", 1.0),
        Mark("own", "mine", len(FAMILIES), "circle", 1.0),
        Mark("lsq", "quantization", 3, "circle", 1.0),
        Mark("rtn", "quantization", 3, "square", 1.0),
    ]


def test_24_methods_of_a_family_are_told_apart():
    found = marks(method(f"m{i:02}") for i in range(25))
    looks = [(mark.colour, mark.shape, mark.fill) for mark in found]
    assert len(set(looks[:24])) == len({(mark.shape, *light(mark)) for mark in found[:24]}) == 24
    assert looks[24] == looks[0]
    assert looks[8] == (3, "circle", 0.0)


def test_colours_inside_a_mark_are_mixed_with_white():
    """Of #d55e00: 255 + 0.4 · (213 − 255) = 238.2, 255 + 0.4 · (94 − 255) = 190.6 and 255 − 0.4 · 255 = 153."""
    for fill, inside in ((1.0, "#d55e00"), (0.0, "#ffffff"), (0.4, "#eebf99")):
        assert light(Mark("m", "chain", 0, "circle", fill)) == ("#d55e00", inside)


def test_styles_hold_every_colour():
    assert re.findall(r"--family-(\w+): light-dark\((#\w{6}), (#\w{6})\);", css()) == [
        ("none", "#5b636d", "#9ba4af"),
        *((str(i), light, dark) for i, (light, dark) in enumerate(COLOURS)),
    ]


def test_stale_records_have_marks(toy):
    records = [toy({4: {0: (0.9, 4000)}}, task=toy.task | {"version": 2}), toy({4: {0: (0.9, 4000)}}, method="old")]
    assert {method.name for method in methods_of(boards(records))} == {"rtn", "old"}
