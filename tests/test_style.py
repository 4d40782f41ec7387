"""The rules of the house that no linter has: sizes, verbs first, Args sections, annotated parameters."""

import ast
import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("methods", "tasks", "benchmarks", "configs", "leaderboard")
WAITING = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]["per-file-ignores"]
STRICT = [room for room in ROOMS if "ANN" not in WAITING.get(f"{room}/**", ())]
VERB = re.compile(r"[A-Z][a-z]*s\b")
LINES, MODULES = 300, 16


def faults(source: str) -> list[str]:
    """Returns what is wrong with the public functions of a module, one line for each fault."""
    return [f"line {f.lineno}, {f.name}: {fault}" for f in _functions(ast.parse(source)) for fault in _faults(f)]


def _functions(tree):
    """Public functions of the module and public methods of its public classes; no nested functions."""
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    for node in [*tree.body, *(member for one in classes for member in one.body)]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node


def _faults(function):
    """A missing docstring or return annotation is ruff's to find."""
    a = function.args
    named = [p for p in (*a.posonlyargs, *a.args, *a.kwonlyargs) if p.arg not in ("self", "cls")]
    bare = [p.arg for p in (*named, a.vararg, a.kwarg) if p is not None and p.annotation is None]
    if bare:
        yield f"without annotation: {', '.join(bare)}"
    text = ast.get_docstring(function)
    if text is None:
        return
    decorators = {ast.unparse(decorator).split(".")[-1] for decorator in function.decorator_list}
    if not VERB.match(text) and not decorators & {"property", "cached_property"}:
        yield "the docstring begins with no verb (Returns, Writes, ...)"
    if len(named) >= 3 and not re.search(r"^Args:$", text, re.MULTILINE):
        yield f"{len(named)} parameters without an Args section"


@pytest.mark.parametrize("room", STRICT)
def test_public_functions_are_annotated_and_say_what_they_do(room):
    files = sorted((ROOT / room).rglob("*.py"))
    found = [f"{file.relative_to(ROOT)}: {fault}" for file in files for fault in faults(file.read_text("utf-8"))]
    assert found == []


@pytest.mark.parametrize("room", STRICT)
def test_no_folder_has_too_many_modules(room):
    count = Counter(file.parent for file in (ROOT / room).rglob("*.py") if file.name != "__init__.py")
    assert {str(folder.relative_to(ROOT)): n for folder, n in count.items() if n > MODULES} == {}


@pytest.mark.parametrize("room", [*ROOMS, "tests"])
def test_no_module_is_too_long(room):
    lines = {file: len(file.read_text("utf-8").splitlines()) for file in (ROOT / room).rglob("*.py")}
    assert lines
    assert {str(file.relative_to(ROOT)): n for file, n in lines.items() if n > LINES} == {}


def test_what_is_a_fault():
    source = '''
def none(x):
    pass

def fine(x: int, *rest: int, y: int = 0) -> int:
    """Returns x.

    Args:
        x: What it returns.
    """
    def nested(z): ...

def noun(x: int, *, y: int, z: int) -> int:
    """The sum."""

class Public:
    def method(self, x) -> None:
        """Returns x."""

    @property
    def size(self) -> int:
        """Bytes of the file."""

    def _private(self, x): ...

class _Private:
    def method(self, x): ...
'''
    assert faults(source) == [
        "line 2, none: without annotation: x",
        "line 13, noun: the docstring begins with no verb (Returns, Writes, ...)",
        "line 13, noun: 3 parameters without an Args section",
        "line 17, method: without annotation: x",
    ]
