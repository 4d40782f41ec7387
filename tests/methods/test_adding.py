"""The promise of README: a method is one file, one row in METHODS and one row in the contract's table, nothing else."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clone import clone, edit

PAGE = (Path(__file__).parents[2] / "docs" / "add-a-method.md").read_text("utf-8")


@pytest.mark.slow
def test_a_method_of_one_file_and_two_rows_passes_every_test_of_methods(tmp_path):
    file, registration, contract = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    imports, row = re.fullmatch(r"(from .*\n)\nMETHODS = \{\.\.\., (.*)\}\n", registration).groups()
    (held,) = re.fullmatch(r"ROWS = \{\.\.\., (.*)\}\n", contract).groups()
    copy = clone(tmp_path / "clone")
    (copy / "methods/pruning/soft.py").write_text(file)
    start = "METHODS: dict[str, Entry] = {\n"
    edit(copy / "methods/pruning/__init__.py", f"\n{start}", f"{imports}\n{start}    {row},\n")
    edit(copy / "tests/contracts/rows.py", "ROWS = {\n", f"ROWS = {{\n    {held},\n")
    rooms = ("test_style.py::test_public_functions_are_annotated_and_say_what_they_do[methods]", "test_imports.py")
    files = ["tests/contracts", "tests/benchmarks/test_configs.py", *(f"tests/{room}" for room in rooms)]
    chosen = "soft or row or say_what_they_do or methods_import_one_way or (test_configs and not smoke_mode)"
    out = run(copy, "pytest", *files, "-vv", "-p", "no:cacheprovider", "-k", chosen)
    assert out.count("[soft] PASSED") >= 10
    if importlib.util.find_spec("ruff"):
        run(copy, "ruff", "check", "methods/pruning")
        run(copy, "ruff", "format", "--check", "methods/pruning")


def run(folder, *command):
    """What the command prints; it must succeed."""
    done = subprocess.run([sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    return done.stdout
