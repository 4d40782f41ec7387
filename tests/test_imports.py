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
    "methods": {"jax", "flax", "optax", "numpy"},
    "leaderboard": {"msgspec", "numpy", "scipy", "vl_convert"},
}


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
