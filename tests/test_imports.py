"""Who may import whom: the design's rooms, read off the source."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = {"methods", "tasks", "benchmarks", "configs", "leaderboard", "tests"}
ALLOWED = {
    "methods": {"methods"},
    "tasks": {"tasks"},
    "benchmarks": {"benchmarks", "methods", "tasks", "leaderboard"},
    "configs": {"configs", "benchmarks", "methods", "tasks"},
    "leaderboard": {"leaderboard"},
}
LIBRARIES = {
    "methods": {"jax", "flax", "optax", "numpy", "scipy"},
    "leaderboard": {"absl", "msgspec", "numpy", "scipy", "vl_convert"},
}


LEADERBOARD = {
    "record": {"record"},
    "stats": {"record", "stats"},
    "board": {"record", "stats", "board"},
    "render": {"record", "stats", "board", "render"},
    "site": {"record", "stats", "board", "render", "site"},
}
"""Rooms of the leaderboard, and which of these each may import; its commands, beside them, may import all."""

ORDER = ("plan", "artifact", "measure", "train", "identity", "sweep")
BENCHMARKS = {room: set(ORDER[: i + 1]) for i, room in enumerate(ORDER)}
BENCHMARKS |= {"speed": {*ORDER, "speed", "process"}, "verify": {*ORDER, "verify", "process", "data"}}
"""Rooms of the benchmarks: each may import itself and those before it; the commands, beside them, may import all."""

SHARED = {"arrays", "transforms", "base", "paths", "flaxnet", "structure", "calibration", "uses"}
METHODS = {
    "arrays": {"arrays"},
    "transforms": {"arrays", "transforms"},
    "base": {"transforms"},
    "paths": {"base"},
    "flaxnet": {"transforms", "base", "paths"},
    "structure": {"base", "paths"},
    "calibration": {"arrays", "base", "paths", "flaxnet", "uses", "calibration"},
    "uses": {"base", "paths", "flaxnet", "uses"},
    "quantization": SHARED | {"quantization"},
    "pruning": SHARED | {"pruning"},
    "distillation": SHARED | {"distillation"},
    "dense": {"base"},
    "chain": {"base", "paths", "flaxnet"},
    "chains": {"base", "chain", "quantization", "pruning", "distillation"},
}
"""Rooms of the methods, and which of these each may import: no family imports another. `METHODS` may import all."""


def imported(room):
    """(file, top-level package) of every import in a room."""
    for file in sorted((ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from ((file.relative_to(ROOT), alias.name.split(".")[0]) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield file.relative_to(ROOT), node.module.split(".")[0]


@pytest.mark.parametrize("room", ALLOWED)
def test_rooms_import_only_what_the_design_allows(room):
    found = {(str(file), package) for file, package in imported(room) if package in ROOMS}
    assert found
    assert {pair for pair in found if pair[1] not in ALLOWED[room]} == set()


def modules(place, package="leaderboard"):
    """(file, dotted name) of everything of a package that a file, or the files under a folder, import."""
    files = sorted((ROOT / place).rglob("*.py")) or [ROOT / f"{place}.py"]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == package:
                yield from ((str(file.relative_to(ROOT)), f"{node.module}.{alias.name}") for alias in node.names)
            elif isinstance(node, ast.Import):
                yield from (
                    (str(file.relative_to(ROOT)), a.name) for a in node.names if a.name.split(".")[0] == package
                )


@pytest.mark.parametrize("room", LEADERBOARD)
def test_rooms_of_the_leaderboard_import_one_way(room):
    found = set(modules(f"leaderboard/{room}"))
    assert found
    assert {(file, name) for file, name in found if name.split(".")[1] not in LEADERBOARD[room]} == set()


@pytest.mark.parametrize("room", BENCHMARKS)
def test_rooms_of_the_benchmarks_import_one_way(room):
    found = set(modules(f"benchmarks/{room}", "benchmarks"))
    assert found
    assert {(file, name) for file, name in found if name.split(".")[1] not in BENCHMARKS[room]} == set()


@pytest.mark.parametrize("room", METHODS)
def test_rooms_of_the_methods_import_one_way(room):
    found = set(modules(f"methods/{room}", "methods"))
    assert found or room == "arrays"
    assert {(file, name) for file, name in found if name.split(".")[1] not in METHODS[room]} == set()


def test_every_room_of_the_methods_is_listed():
    top = (ROOT / "methods").glob("*")
    rooms = {path.stem for path in top if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert rooms == {"__init__", *METHODS}


@pytest.mark.parametrize(("package", "rooms"), [("leaderboard", LEADERBOARD), ("benchmarks", BENCHMARKS)])
def test_every_room_is_listed(package, rooms):
    folders = {path.parent.relative_to(ROOT / package) for path in (ROOT / package).rglob("*.py")}
    assert {str(folder) for folder in folders} == {".", *rooms}


def test_benchmarks_import_records_and_the_command_line_and_run_shows_its_board():
    found = {(file, name) for file, name in modules("benchmarks") if name.split(".")[1] not in ("record", "command")}
    assert found == {("benchmarks/run.py", "leaderboard.show")}


def test_the_command_line_knows_of_the_leaderboard_only_what_a_record_is():
    found = {name for file, name in modules("leaderboard") if file == "leaderboard/command.py"}
    assert found == {"leaderboard.record.files.RecordError", "leaderboard.record.text.plain"}


@pytest.mark.parametrize("room", LIBRARIES)
def test_libraries_of_a_room(room):
    import sys

    outside = {package for _, package in imported(room)} - ROOMS - set(sys.stdlib_module_names)
    assert outside <= LIBRARIES[room]


def test_pyproject_lists_every_package():
    import tomllib

    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {file.parent for room in ALLOWED for file in (ROOT / room).rglob("*.py")}
    assert set(listed) == {str(folder.relative_to(ROOT)).replace("/", ".") for folder in folders}
